import type { Statement } from '../../database/database.js';
import type { TokenKind } from './token-format.js';

/** A client secret is no token, and looked up elsewhere. */
export type LookedUpKind = Exclude<TokenKind, 'client_secret'>;

/** The built-in first-party client: whom logins and API keys belong to. */
export const FIRST_PARTY_CLIENT = 'keks';

/**
 * What an answer begins with, as text. Each field that is there has a price in PostgreSQL and here, one that is NULL has none,
 * so what is as it mostly is is NULL.
 */
export type TokenRow = readonly [
  /** Which question of the batch this answers, from 1. */
  at: string,
  tokenId: string,
  grantId: string,
  kind: 'login' | 'client' | 'api_key',
  /** Of a login and of an API key; the client of a client's own. */
  userId: string | null,
  clientId: string | null,
  scope: string,
  audience: string,
  /** `unnoted`: alive, and its grant's last use is to be noted again. */
  state: 'revoked' | 'grant_revoked' | 'unnoted' | null,
  /** Milliseconds since the epoch, if the grant ends before the token does. */
  grantEnd: string | null,
];

export type DescribedRow = readonly [
  ...TokenRow,
  username: string | null,
  /** Seconds since the epoch. */
  issuedAt: string,
];

/** The columns of a TokenRow, of a table that has the alias `token`. */
function row(token: string, scope: string, revoked: string): string {
  return `q.at, ${token}.id, g.id, g.kind, g.user_id, g.client_id, ${scope}, ${token}.audience,
           CASE WHEN ${revoked} THEN 'revoked' WHEN g.revoked_at IS NOT NULL THEN 'grant_revoked'
                WHEN g.last_used_at >= $3 THEN NULL ELSE 'unnoted' END,
           CASE WHEN g.expires_at < ${token}.expires_at THEN date_part('epoch', g.expires_at) * 1000 END`;
}

/** $3: what was noted as used since then is not to be noted again. */
const QUESTIONS = `unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS q (digest, expires_at, at)`;

/** One row by primary key a token, and its grant's. The expiry that stands in the token names the partition. */
export const LOOK_UP_ACCESS_TOKENS: Statement = {
  name: 'look_up_access_tokens',
  text: `
    SELECT ${row('t', 't.scope', 't.revoked_at IS NOT NULL')}
      FROM ${QUESTIONS}
      JOIN access_tokens t ON t.digest = q.digest AND t.expires_at = q.expires_at
      JOIN grants g ON g.id = t.grant_id`,
};

/** The audience of an API key is whoever its grant was made for: see ApiKeys. */
export const LOOK_UP_API_KEYS: Statement = {
  name: 'look_up_api_keys',
  text: `
    SELECT ${row('k', 'g.scope', 'false')}
      FROM ${QUESTIONS}
      JOIN api_keys k ON k.digest = q.digest AND k.expires_at = q.expires_at
      JOIN grants g ON g.id = k.grant_id`,
};

/** For introspection: who and since when beside it. A used refresh token is as good as revoked. */
export const DESCRIBE: Readonly<Record<LookedUpKind, Statement>> = {
  access: describing('access_tokens', 't.scope', 't.revoked_at IS NOT NULL'),
  refresh: describing('refresh_tokens', 't.scope', 't.used_at IS NOT NULL'),
  api_key: describing('api_keys', 'g.scope', 'false'),
};

function describing(table: string, scope: string, revoked: string): Statement {
  return {
    name: `describe_${table}`,
    text: `
    SELECT ${row('t', scope, revoked)}, u.name, floor(date_part('epoch', t.created_at))::bigint
      FROM ${QUESTIONS}
      JOIN ${table} t ON t.digest = q.digest AND t.expires_at = q.expires_at
      JOIN grants g ON g.id = t.grant_id LEFT JOIN users u ON u.id = g.user_id`,
  };
}
