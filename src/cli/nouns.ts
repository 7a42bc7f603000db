import { audit } from './verbs/audit.js';
import { client } from './verbs/client.js';
import { completion } from './verbs/completion.js';
import { consent } from './verbs/consent.js';
import { databaseUrl } from './database-url.js';
import { demo } from './verbs/demo.js';
import { doctor } from './verbs/doctor.js';
import { grant } from './verbs/grant.js';
import { guard } from './verbs/guard.js';
import { health } from './verbs/health.js';
import { init } from './verbs/init.js';
import { initialToken } from './verbs/initial-token.js';
import { key } from './verbs/key.js';
import { login } from './verbs/login.js';
import { logout } from './verbs/logout.js';
import { migrate } from './verbs/migrate.js';
import type { Noun } from './noun.js';
import { purge } from './verbs/purge.js';
import { receiver } from './verbs/receiver.js';
import { revokeAll } from './verbs/revoke-all.js';
import { session } from './verbs/session.js';
import { token } from './verbs/token.js';
import { user } from './verbs/user.js';

/** Everything the command line knows, in the order of its help. */
export const NOUNS: readonly Noun[] = [
  init,
  demo,
  user,
  client,
  initialToken,
  key,
  token,
  session,
  consent,
  grant,
  guard,
  receiver,
  audit,
  migrate,
  purge,
  revokeAll,
  databaseUrl,
  doctor,
  health,
  login,
  logout,
  completion,
];
