import { randomFillSync } from 'node:crypto';

const ID_BYTES = 8;

// One call into OpenSSL for 512 ids: a call for each 8 bytes costs ten times as much.
const pool = Buffer.allocUnsafe(ID_BYTES * 512);
let used = pool.length;

/**
 * 16 random hexadecimal digits. A counter would tell every caller how busy the authority is. The id never comes from
 * the client: a client could write into the log, or use the id of another request.
 */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const start = used;
  used += ID_BYTES;
  return pool.toString('hex', start, used);
}
