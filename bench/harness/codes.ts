/** Authorization codes as they lie there after a person's yes, ready to be redeemed: at Keks and at the peer. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { digestOf } from '../../src/auth/tokens/token-format.js';
import type { Ask, FilledDatabase } from './bench.js';
import { environment } from './fill.js';
import { withClient } from './postgres.js';

export const APP = 'c-app';
export const REDIRECT = 'https://app.example/done';
export const VERIFIER = 'a'.repeat(43);
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

const ADD_APP = `
  INSERT INTO clients (client_id, name, scope, audience, token_format, redirect_uris, is_public)
  VALUES ($1, $1, 'cookies:eat', '{}', 'opaque', ARRAY[$2], true) ON CONFLICT DO NOTHING`;

/** A consent for each, of many people. */
const ADD_CONSENTS = `
  INSERT INTO grants (id, kind, user_id, client_id, epoch, scope, expires_at)
  SELECT md5($1 || n)::uuid, 'consent', u.id, $2, u.epoch, 'cookies:eat', now() + interval '1 day'
    FROM generate_series(1, $3::int) AS n JOIN users u ON u.name = 'user' || (1 + n % 1000)`;

const ADD_CODES = `
  INSERT INTO authorization_codes
    (digest, created_at, expires_at, grant_id, client_id, redirect_uri, code_challenge, audience, offline)
  SELECT digest, now(), now() + interval '1 hour', md5($1 || n)::uuid, $2, $3, $4, $5, false
    FROM unnest($6::bytea[]) WITH ORDINALITY AS made (digest, n)`;

/** @returns the file in which they stand, one a line */
export async function addCodes(database: FilledDatabase, count: number): Promise<string> {
  const run = randomBytes(8).toString('hex');
  const codes = Array.from({ length: count }, () => `kac_${randomBytes(32).toString('base64url')}`);
  const audience = environment(database.url)['ISSUER'];
  await withClient(database.url, async (client) => {
    await client.query(ADD_APP, [APP, REDIRECT]);
    await client.query(ADD_CONSENTS, [run, APP, count]);
    await client.query(ADD_CODES, [run, APP, REDIRECT, CHALLENGE, audience, codes.map(digestOf)]);
    await client.query('ANALYZE grants, authorization_codes');
  });
  const file = `${database.tokensFile}.codes-${run}`;
  writeFileSync(file, codes.join('\n'));
  return file;
}

/** Each code of the file once. */
export function redemptions(port: number, path: string, valuesFile: string): Ask {
  const form = { grant_type: 'authorization_code', client_id: APP, code_verifier: VERIFIER };
  return {
    port,
    method: 'POST',
    path,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: `${new URLSearchParams({ ...form, redirect_uri: REDIRECT })}&code={}`,
    valuesFile,
    once: true,
    milliseconds: 60_000,
    expect: 200,
  };
}
