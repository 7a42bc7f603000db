import { randomFillSync } from 'node:crypto';

const ID_BYTES = 8;

// One call into OpenSSL for 512 ids: asking for 8 bytes at a time costs ten times as much.
const pool = Buffer.allocUnsafe(ID_BYTES * 512);
let used = pool.length;

/**
 * 16 hexadecimal digits, random: a counter would tell every caller how busy the authority is. Never taken from
 * the client, who could otherwise write into the log or hide among somebody else's lines.
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
