import type { Row } from '../harness/row.js';
import { clientCredentials } from './client-credentials.js';
import { code } from './code.js';
import { dpop } from './dpop.js';
import { feed } from './feed.js';
import { garbage } from './garbage.js';
import { guard } from './guard.js';
import { introspect } from './introspect.js';
import { jwt } from './jwt.js';
import { lease } from './lease.js';
import { logins } from './logins.js';
import { memory } from './memory.js';
import { purge } from './purge.js';
import { revokes } from './revokes.js';
import { refresh } from './refresh.js';
import { size } from './size.js';
import { workers } from './workers.js';

/** In the order of the table. */
export const ROWS: readonly Row[] = [
  guard,
  jwt,
  introspect,
  clientCredentials,
  refresh,
  logins,
  garbage,
  size,
  purge,
  memory,
  workers,
  revokes,
  lease,
  feed,
  code,
  dpop,
];
