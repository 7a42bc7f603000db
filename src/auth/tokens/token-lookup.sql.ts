import type { Statement } from '../../database/database.js';
import type { TokenKind } from './token-format.js';

export interface TokenRow {
  /** Which question of the batch this answers, from 1. */
  readonly at: number;
  readonly token_id: string;
  readonly grant_id: string;
  readonly kind: 'login' | 'client' | 'api_key';
  readonly subject: string;
  readonly client_id: string;
  readonly scope: string;
  readonly audience: string;
  readonly revoked: boolean;
  readonly grant_revoked: boolean;
  /** Milliseconds since the epoch: a Date costs more to read than all the rest of the row. */
  readonly grant_expires_at: number | null;
}

export interface DescribedRow extends TokenRow {
  readonly username: string | null;
  readonly issued_at: number;
}

/** A client secret is no token, and looked up elsewhere. */
export type LookedUpKind = Exclude<TokenKind, 'client_secret'>;

/** The built-in first-party client: whom logins and API keys belong to. */
export const FIRST_PARTY_CLIENT = 'keks';

const GRANT = `
  g.id AS grant_id, g.kind, coalesce(g.user_id::text, g.client_id) AS subject,
  coalesce(g.client_id, '${FIRST_PARTY_CLIENT}') AS client_id,
  g.revoked_at IS NOT NULL AS grant_revoked, date_part('epoch', g.expires_at) * 1000 AS grant_expires_at`;

const QUESTIONS = `unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS q (digest, expires_at, at)`;

/** One row by primary key a token, and its grant's. The expiry that stands in the token names the partition. */
export const LOOK_UP_ACCESS_TOKENS: Statement = {
  name: 'look_up_access_tokens',
  text: `
    SELECT q.at::int AS at, t.id AS token_id, t.scope, t.audience, t.revoked_at IS NOT NULL AS revoked, ${GRANT}
      FROM ${QUESTIONS}
      JOIN access_tokens t ON t.digest = q.digest AND t.expires_at = q.expires_at
      JOIN grants g ON g.id = t.grant_id`,
};

/** The audience of an API key is whoever its grant was made for: see ApiKeys. */
export const LOOK_UP_API_KEYS: Statement = {
  name: 'look_up_api_keys',
  text: `
    SELECT q.at::int AS at, k.id AS token_id, g.scope, k.audience, false AS revoked, ${GRANT}
      FROM ${QUESTIONS}
      JOIN api_keys k ON k.digest = q.digest AND k.expires_at = q.expires_at
      JOIN grants g ON g.id = k.grant_id`,
};

const DESCRIPTION = `${GRANT}, u.name AS username, floor(extract(epoch FROM t.created_at))::float8 AS issued_at`;

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
    SELECT q.at::int AS at, t.id AS token_id, ${scope}, t.audience, ${revoked} AS revoked, ${DESCRIPTION}
      FROM ${QUESTIONS}
      JOIN ${table} t ON t.digest = q.digest AND t.expires_at = q.expires_at
      JOIN grants g ON g.id = t.grant_id LEFT JOIN users u ON u.id = g.user_id`,
  };
}
