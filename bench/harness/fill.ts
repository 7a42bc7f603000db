import { writeFile } from 'node:fs/promises';
import type pg from 'pg';
import { digestOf, mintToken, NO_EXPIRY } from '../../src/auth/tokens/token-format.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { PasswordHash } from '../../src/auth/users/password-hash.js';
import { loadConfig } from '../../src/config/config.js';
import { DatabaseClock } from '../../src/database/clock.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { connectionOf } from '../../src/database/pools.js';
import { withClient } from './postgres.js';

export const PASSWORD = 'seven brown biscuits under a blue moon';
export const CLIENTS = 16;
const SECRET_KEY = '6b656b736521206c65636b657221206b656b736521206c65636b657221206b6b';
const ISSUER = 'http://127.0.0.1:3000';
const SCOPE = 'cookies:eat keks:account';
const USERS = 1_000;
const TOKENS_OF_A_GRANT = 10;
const CHUNK = 50_000;
/** Spelled out: those who load all at once need one a connection each. */
const REFRESH_TOKENS = 1_000;
const HOUR = 3_600;

/** What a server on this database is started with: the defaults, but for tokens that outlive the run. */
export function environment(databaseUrl: string): Record<string, string> {
  return {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    SECRET_KEY,
    ISSUER,
    ACCESS_TOKEN_TTL: '1d',
    SHUTDOWN_DELAY: '0',
    LOG_LEVEL: 'warn',
    LOGINS_PER_ACCOUNT: '100000',
  };
}

export interface Fill {
  readonly url: string;
  readonly tokens: number;
  readonly inUse: number;
  /**
   * Where the tokens in use go, one a line; beside it `.clients` and `.jwt-clients`, as Basic credentials, `.refresh-1`
   * and `.refresh-2`, refresh tokens.
   */
  readonly file: string;
  readonly progress: (done: number) => void;
}

/** Users, clients, grants and `tokens` live tokens: `inUse` of them spelled out, of the others only digests. */
export async function fill(order: Fill): Promise<void> {
  const config = loadConfig(environment(order.url));
  await migrate(connectionOf(order.url));
  await new Maintenance(config, new DatabaseClock()).prepare(connectionOf(order.url));
  const keys = new TokenKeys(config);
  await withClient(order.url, async (client) => {
    await client.query(ADD_USERS, [USERS, await new PasswordHash(config).make(PASSWORD), 'cookies:eat']);
    const grants = Math.ceil(order.tokens / TOKENS_OF_A_GRANT);
    await client.query(ADD_GRANTS, [grants, SCOPE]);
    await client.query(ADD_ENDED_GRANTS, [Math.ceil(grants / 10), SCOPE]);
    for (const format of ['opaque', 'jwt'] as const)
      await addClients(
        client,
        keys,
        format,
        `${order.file}${format === 'jwt' ? '.jwt-clients' : '.clients'}`,
      );
    await addTokens(client, keys, order, grants);
    await addRefreshTokens(client, keys, order, grants);
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  });
}

const ADD_USERS = `
  INSERT INTO users (name, name_folded, password_hash, scope)
  SELECT 'user' || n, 'user' || n, $2, $3 FROM generate_series(1, $1::int) AS n`;

/** Of grant `n`. */
const USER_OF_GRANT = `'user' || (1 + n % ${USERS})`;

const ADD_GRANTS = `
  INSERT INTO grants (id, kind, user_id, epoch, scope, expires_at)
  SELECT md5('grant' || n)::uuid, 'login', u.id, u.epoch, $2, now() + interval '90 days'
    FROM generate_series(1, $1::int) AS n JOIN users u ON u.name = ${USER_OF_GRANT}`;

/** People log out: for ten logins one that has ended. */
const ADD_ENDED_GRANTS = `
  INSERT INTO grants (kind, user_id, epoch, scope, expires_at, revoked_at, revoked_reason)
  SELECT 'login', u.id, u.epoch, $2, now() + interval '90 days', now(), 'revoked'
    FROM generate_series(1, $1::int) AS n JOIN users u ON u.name = ${USER_OF_GRANT}`;

/** In the order of their digests, so that those in use are spread over the table like everybody's. */
const ADD_TOKENS = `
  INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, scope, audience, format)
  SELECT digest, expires_at, md5('grant' || n)::uuid, u.id, $5, $6, 'opaque'
    FROM (SELECT *, 1 + floor(random() * $4)::int AS n
            FROM (SELECT * FROM unnest($1::bytea[], $2::timestamptz[])
                  UNION ALL
                  SELECT sha256(uuid_send(gen_random_uuid())),
                         date_trunc('second', now() + interval '2 hours' + random() * interval '21 hours')
                    FROM generate_series(1, $3::int)) AS made (digest, expires_at)) AS t
    JOIN users u ON u.name = ${USER_OF_GRANT}
   ORDER BY digest`;

/** Each login has one, and the first of them are spelled out. */
const ADD_REFRESH_TOKENS = `
  INSERT INTO refresh_tokens (digest, expires_at, grant_id, scope, audience, format)
  SELECT digest, expires_at, md5('grant' || n)::uuid, $3, $4, 'opaque'
    FROM (SELECT * FROM unnest($1::bytea[]) WITH ORDINALITY AS one (digest, n)
          UNION ALL
          SELECT sha256(uuid_send(gen_random_uuid())), n
            FROM generate_series(1 + cardinality($1::bytea[]), $5::int) AS n) AS made (digest, n),
         (SELECT $2::timestamptz) AS same (expires_at)
   ORDER BY digest`;

async function addRefreshTokens(
  client: pg.Client,
  keys: TokenKeys,
  order: Fill,
  grants: number,
): Promise<void> {
  const expiresAt = Math.floor(Date.now() / 1_000) + 30 * 24 * HOUR;
  const tokens = Array.from({ length: Math.min(grants, REFRESH_TOKENS) }, () =>
    mintToken('krt_', expiresAt, keys.current),
  );
  const digests = tokens.map((token) => digestOf(token));
  await client.query(ADD_REFRESH_TOKENS, [digests, new Date(expiresAt * 1_000), SCOPE, ISSUER, grants]);
  const half = Math.ceil(tokens.length / 2);
  await writeFile(`${order.file}.refresh-1`, tokens.slice(0, half).join('\n'));
  await writeFile(`${order.file}.refresh-2`, tokens.slice(half).join('\n'));
}

async function addTokens(client: pg.Client, keys: TokenKeys, order: Fill, grants: number): Promise<void> {
  const inUse: string[] = [];
  for (let done = 0; done < order.tokens;) {
    const size = Math.min(CHUNK, order.tokens - done);
    done += size;
    const digests: Buffer[] = [];
    const expiries: Date[] = [];
    for (const due = Math.round((order.inUse * done) / order.tokens); inUse.length < due;) {
      const expiresAt = Math.floor(Date.now() / 1_000) + 2 * HOUR + Math.floor(Math.random() * 21 * HOUR);
      const token = mintToken('kat_', expiresAt, keys.current);
      inUse.push(token);
      digests.push(digestOf(token));
      expiries.push(new Date(expiresAt * 1_000));
    }
    const others = size - digests.length;
    await client.query(ADD_TOKENS, [digests, expiries, others, grants, SCOPE, ISSUER]);
    order.progress(done);
  }
  await writeFile(order.file, inUse.join('\n'));
}

async function addClients(client: pg.Client, keys: TokenKeys, format: string, file: string): Promise<void> {
  const credentials: string[] = [];
  for (let at = 1; at <= CLIENTS; at += 1) {
    const id = `c-${format}-${at}`;
    const secret = mintToken('kcs_', NO_EXPIRY, keys.current);
    await client.query(
      'INSERT INTO clients (client_id, name, scope, audience, token_format) VALUES ($1, $1, $2, $3, $4)',
      [id, 'cookies:eat', [ISSUER], format],
    );
    await client.query('INSERT INTO client_secrets (client_id, digest) VALUES ($1, $2)', [
      id,
      digestOf(secret),
    ]);
    credentials.push(Buffer.from(`${id}:${secret}`).toString('base64'));
  }
  await writeFile(file, credentials.join('\n'));
}
