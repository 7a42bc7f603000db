import type pg from 'pg';
import { LONGEST_ACCESS_TOKEN_TTL } from '../../config/settings.js';

const DAY_MS = 86_400_000;
/**
 * Grants stay this long after their end: a late question still finds the reason, and the end stays known for longer
 * than any access token is valid. A revoked grant stays as long as its refresh token, if that is longer.
 */
const GRANT_REST_MS = LONGEST_ACCESS_TOKEN_TTL * 1_000 + DAY_MS;
const STEP = 1_000;

/**
 * Deletes expired rows of the tables and default partitions that are not dropped as a whole.
 * @param now milliseconds since the epoch
 * @param refreshMs how long refresh tokens are valid: milliseconds
 * @param tell receives the progress in a few words
 * @returns the number of deleted grants
 */
export async function purgeRows(
  client: pg.Client,
  now: number,
  refreshMs: number,
  tell: (progress: string) => void,
): Promise<number> {
  const rested = new Date(now - GRANT_REST_MS);
  // long-lived grants and keys are mostly revoked early: kept until they expire, they would stay for years
  const forgotten = new Date(now - Math.max(GRANT_REST_MS, refreshMs));
  for (const table of ['access_tokens_default', 'refresh_tokens_default', 'used_proofs'])
    await client.query(`DELETE FROM ${table} WHERE expires_at <= $1`, [new Date(now)]);
  await client.query('DELETE FROM attempt_counters WHERE ends_at <= $1', [new Date(now)]);
  for (const table of [
    'authorization_codes',
    'device_codes',
    'pushed_requests',
    'revocations',
    'token_exchanges',
  ])
    await client.query(`DELETE FROM ${table} WHERE expires_at < $1`, [new Date(now - DAY_MS)]);
  // a proof by a key is valid for a minute, and a clock may be late
  await client.query('DELETE FROM client_assertions WHERE expires_at < $1', [new Date(now - 60_000)]);
  for (const table of ['api_keys', 'initial_access_tokens'])
    await client.query(`DELETE FROM ${table} WHERE expires_at < $1`, [rested]);
  await client.query(PURGE_ENDED_KEYS, [forgotten]);
  const grants = await purgeGrants(client, [rested, forgotten], tell);
  await client.query(PURGE_ENDED_GRANTS, [rested]);
  return grants;
}

const PURGE_ENDED_KEYS = `
  DELETE FROM api_keys WHERE grant_id IN (SELECT id FROM grants WHERE revoked_at < $1 AND kind = 'api_key')`;

/** Look-ups need a note of a future end until that end, and for the same time after it. */
const PURGE_ENDED_GRANTS = `
  DELETE FROM ended_grants WHERE noted_at < $1 AND (revoked OR ends_at IS NULL OR ends_at < $1)`;

/** Deletes in small steps, so that nobody waits long behind it. Each step uses an index. */
async function purgeGrants(
  client: pg.Client,
  [expired, revoked]: readonly [Date, Date],
  tell: (progress: string) => void,
): Promise<number> {
  let total = 0;
  for (const [time, before] of [
    ['expires_at', expired],
    ['revoked_at', revoked],
  ] as const)
    for (let step = STEP; step === STEP; total += step, tell(`grants removed: ${total}`))
      step = (await client.query(purgeGrantsBy(time), [before])).rowCount ?? 0;
  return total;
}

const purgeGrantsBy = (time: 'expires_at' | 'revoked_at'): string => `
  DELETE FROM grants WHERE id IN (
    SELECT g.id FROM grants g
     WHERE g.${time} < $1 AND NOT EXISTS (SELECT FROM api_keys k WHERE k.grant_id = g.id)
     ORDER BY g.${time} LIMIT ${STEP})`;
