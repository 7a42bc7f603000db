import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { expect } from 'vitest';
import { digestOf } from '../../src/auth/tokens/token-format.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { connectionOf } from '../../src/database/pools.js';
import { pipeline } from './raw-http.js';
import type { TestApp } from './test-app.js';
import { genuine } from './token-smith.js';

/** A user who has very many living grants, and the tokens of some of them. */
export interface Crowd {
  readonly userId: string;
  readonly name: string;
  readonly tokens: readonly string[];
}

export interface CrowdOptions {
  readonly kind?: 'login' | 'api_key';
  /** Grants without a known token. */
  readonly count: number;
  /** Those whose tokens are known. */
  readonly sampled?: number;
  readonly scope?: string;
}

/** The user is there already. */
export async function addCrowd(
  keks: TestApp,
  name: string,
  { kind = 'login', count, sampled = 0, scope = 'cookies:eat' }: CrowdOptions,
): Promise<Crowd> {
  const { client } = keks.database;
  const { rows } = await client.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [name]);
  const userId = rows[0]?.id ?? '';
  await client.query(
    `INSERT INTO grants (kind, user_id, epoch, scope, expires_at)
     SELECT $1, id, epoch, $2, now() + interval '1 d' FROM users, generate_series(1, $3::int) WHERE id = $4`,
    [kind, scope, count, userId],
  );
  const expiresAt = keks.clock.seconds() + 3_600;
  const prefix = kind === 'login' ? 'kat_' : 'kak_';
  const key = keks.app.get(TokenKeys).current;
  const tokens = Array.from({ length: sampled }, () => genuine(prefix, expiresAt, key));
  const values = [tokens.map(digestOf), tokens.map(() => randomUUID()), kind, userId, scope];
  await client.query(
    `WITH one AS (SELECT * FROM unnest($1::bytea[], $2::uuid[]) AS one (digest, grant_id)), made AS (
       INSERT INTO grants (id, kind, user_id, epoch, scope, expires_at)
       SELECT grant_id, $3, users.id, epoch, $5, now() + interval '1 d' FROM one, users WHERE users.id = $4
     )
     ${
       kind === 'login'
         ? `INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, scope, audience, format)
            SELECT digest, to_timestamp($6::int), grant_id, $4, $5, $7, 'opaque' FROM one`
         : `INSERT INTO api_keys (digest, expires_at, grant_id, audience)
            SELECT digest, to_timestamp($6::int), grant_id, $7 FROM one`
     }`,
    [...values, expiresAt, keks.config.AUDIENCE],
  );
  return { userId, name, tokens };
}

/** What each of the tokens is told, all at once. 503 is no verdict: those are asked for again. */
export async function verdicts(url: string, tokens: readonly string[]): Promise<number[]> {
  let told = await ask(url, tokens);
  for (let attempt = 0; attempt < 40 && told.includes(503); attempt += 1) {
    const again = await ask(
      url,
      tokens.filter((_, at) => told[at] === 503),
    );
    told = told.map((status) => (status === 503 ? (again.shift() ?? 0) : status));
  }
  return told;
}

async function ask(url: string, tokens: readonly string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (let from = 0; from < tokens.length; from += 200) {
    const part = tokens.slice(from, from + 200);
    const answers = await pipeline(
      url,
      part.map((token) => `GET /cookies HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${token}\r\n`),
    );
    statuses.push(...answers.map(({ status }) => status));
  }
  expect(statuses).toHaveLength(tokens.length);
  return statuses;
}

/**
 * Nobody writes into the rows of this user's grants that they have ended, until the returned function is called.
 * @param after but into so many, in the order in which they are swept
 */
export async function holdSweeper(
  { database }: TestApp,
  userId: string,
  after = 0,
): Promise<() => Promise<void>> {
  const holder = new Client(connectionOf(database.url));
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query(
    `SELECT FROM grants WHERE id = (SELECT id FROM grants WHERE user_id = $1 ORDER BY id LIMIT 1 OFFSET $2) FOR UPDATE`,
    [userId, after],
  );
  return async () => {
    await holder.query('ROLLBACK');
    await holder.end();
  };
}
