import { audit } from './audit.js';
import { client } from './client.js';
import { completion } from './completion.js';
import { databaseUrl } from './database-url.js';
import { demo } from './demo.js';
import { doctor } from './doctor.js';
import { grant } from './grant.js';
import { init } from './init.js';
import { key } from './key.js';
import { migrate } from './migrate.js';
import type { Noun } from './noun.js';
import { purge } from './purge.js';
import { revokeAll } from './revoke-all.js';
import { token } from './token.js';
import { user } from './user.js';

/** Everything the command line knows, in the order of its help. */
export const NOUNS: readonly Noun[] = [
  init,
  demo,
  user,
  client,
  key,
  token,
  grant,
  audit,
  migrate,
  purge,
  revokeAll,
  databaseUrl,
  doctor,
  completion,
];
