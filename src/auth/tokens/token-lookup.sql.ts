import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { TokenKind } from './token-format.js';
import type { Statement } from '../../database/statement.js';

/** A client secret is no token; other code looks it up. */
export type LookedUpKind = Exclude<TokenKind, 'client_secret'>;

/** The built-in first-party client. Logins and API keys belong to it. */
export const FIRST_PARTY_CLIENT = 'keks';

/**
 * The first columns of each answer, as text. A field with a value costs time in PostgreSQL and here; a NULL costs none.
 * So the usual value of a field is NULL.
 */
export type TokenRow = readonly [
  /** The number of the question in the batch, from 1. */
  at: string,
  tokenId: string,
  grantId: string,
  /**
   * A login or an API key has a user, a client's own token has a client, and a consent has both. If both are NULL, or
   * the user is NOBODY, only the grant tells the owner: the token is older than these columns, or it was made from
   * another token, or grants of its owner are being ended, perhaps its own.
   */
  userId: string | null,
  clientId: string | null,
  scope: string,
  audience: string,
  /** `revoked` or `grant_revoked`; for a living token, the thumbprint of the key that it is bound to (RFC 9449 §6). */
  state: string | null,
  /** Milliseconds since the epoch, if the grant ends before the token does. */
  grantEnd: string | null,
];

export type DescribedRow = readonly [
  ...TokenRow,
  username: string | null,
  /** Seconds since the epoch. */
  issuedAt: string,
];

export type DescribedWithGrantRow = readonly [
  ...DescribedRow,
  /** The clients that act, separated by spaces, the current actor first; NULL if it is not an exchanged token. */
  actors: string | null,
];

interface Columns {
  readonly grantId: string;
  readonly userId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly tokenRevoked: string;
  readonly grantRevoked: string;
  readonly grantEnd: string;
  readonly jkt: string;
}

/** The columns of a TokenRow, from a token table with the alias `t`. */
const row = ({
  grantId,
  userId,
  clientId,
  scope,
  tokenRevoked,
  grantRevoked,
  grantEnd,
  jkt,
}: Columns): string =>
  `q.at, t.id, ${grantId}, ${userId}, ${clientId}, ${scope}, t.audience,
           CASE WHEN ${tokenRevoked} THEN 'revoked' WHEN ${grantRevoked} THEN 'grant_revoked' ELSE ${jkt} END,
           CASE WHEN ${grantEnd} < t.expires_at THEN date_part('epoch', ${grantEnd}) * 1000 END`;

/** The columns that a DescribedRow adds: the user's name and the time of issue. */
const DESCRIPTION = `, u.name, floor(date_part('epoch', t.created_at))::bigint`;

/** The expiry in the token names the partition. */
const found = (table: string): string =>
  `unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS q (digest, expires_at, at)
      JOIN ${table} t ON t.digest = q.digest AND t.expires_at = q.expires_at`;

/**
 * The user id if the token's row alone cannot tell the owner. A look-up answers it for the token of a consent while
 * grants of its user are being ended: with NULL the token would look like the client's own. Each token that was made
 * from another token has it in its row.
 */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * PostgreSQL asks once in each statement whether anybody's grants are being ended. Only if so, it asks for each token
 * about the token's owner. The LIMIT makes that an index probe; PostgreSQL must not build a hash of all endings
 * instead.
 */
const USER_UNLESS_ENDING = `CASE WHEN EXISTS (SELECT FROM owner_endings)
                AND (SELECT true FROM owner_endings x WHERE x.user_id = t.user_id LIMIT 1)
                THEN CASE WHEN t.client_id IS NOT NULL THEN '${NOBODY}'::uuid END ELSE t.user_id END`;

/** Reads the token's own row and the small table of grants that have ended. */
const BY_ITSELF = row({
  grantId: 't.grant_id',
  userId: USER_UNLESS_ENDING,
  clientId: 't.client_id',
  scope: 't.scope',
  tokenRevoked: 't.revoked_at IS NOT NULL',
  grantRevoked: 'e.revoked',
  grantEnd: 'e.ends_at',
  jkt: 't.jkt',
});
const ENDED = `LEFT JOIN ended_grants e ON e.grant_id = t.grant_id`;

const withGrant = (scope: string, tokenRevoked: string, jkt = 't.jkt'): string =>
  row({
    ...{
      grantId: 'g.id',
      userId: 'g.user_id',
      clientId: 'g.client_id',
      scope,
      tokenRevoked,
      grantEnd: 'g.expires_at',
      jkt,
    },
    grantRevoked: `g.revoked_at IS NOT NULL OR ${endedWithOwner('g')}`,
  });
const GRANT = `JOIN grants g ON g.id = t.grant_id`;

export const LOOK_UP_ACCESS_TOKENS: Statement = {
  name: 'look_up_access_tokens',
  text: `
    SELECT ${BY_ITSELF}
      FROM ${found('access_tokens')} ${ENDED}`,
};

/** The audience of an API key is the setting AUDIENCE from the time when the key was made: see ApiKeysService. */
export const LOOK_UP_API_KEYS: Statement = {
  name: 'look_up_api_keys',
  text: `
    SELECT ${withGrant('g.scope', 'false', 'NULL')}
      FROM ${found('api_keys')} ${GRANT}`,
};

/** For introspection. A used refresh token counts as revoked. */
export const DESCRIBE: Readonly<Record<LookedUpKind, Statement>> = {
  access: {
    name: 'describe_access_tokens',
    text: `
    SELECT ${BY_ITSELF}${DESCRIPTION}
      FROM ${found('access_tokens')} ${ENDED} LEFT JOIN users u ON u.id = t.user_id`,
  },
  refresh: describing('refresh_tokens', 't.scope', 't.used_at IS NOT NULL'),
  api_key: describing('api_keys', 'g.scope', 'false', 'NULL'),
};

/**
 * The tokens that a token was made from. Their rows stay at least as long as the row of the token. So if one is
 * missing, PostgreSQL is moving it to another partition.
 */
const SOURCES = `LEFT JOIN token_exchanges x ON t.user_id = '${NOBODY}' AND x.digest = t.digest
      LEFT JOIN LATERAL (
        SELECT count(*) AS found, coalesce(bool_or(s.revoked_at IS NOT NULL), false) AS revoked
          FROM unnest(x.sources, x.source_expires) AS one (digest, expires_at)
          JOIN access_tokens s ON s.digest = one.digest AND s.expires_at = one.expires_at
      ) source ON x.digest IS NOT NULL`;

/**
 * Finds the owner by the grant. For tokens whose row does not name the owner, tokens that were made from other tokens,
 * and tokens whose owner's grants are being ended.
 */
export const DESCRIBE_WITH_GRANTS: Statement = {
  name: 'describe_access_tokens_with_grants',
  text: `
    SELECT ${row({
      ...{ grantId: 'g.id', userId: 'g.user_id', clientId: 'g.client_id', scope: 't.scope', jkt: 't.jkt' },
      tokenRevoked: 't.revoked_at IS NOT NULL OR source.revoked',
      grantRevoked: `g.revoked_at IS NOT NULL OR ${endedWithOwner('g')} OR EXISTS (
             SELECT FROM ended_grants e WHERE e.grant_id = ANY (x.actor_grants) AND e.revoked)`,
      grantEnd: 'g.expires_at',
    })}${DESCRIPTION}, array_to_string(x.actors, ' ')
      FROM ${found('access_tokens')} ${GRANT} LEFT JOIN users u ON u.id = g.user_id
      ${SOURCES}
     WHERE t.user_id IS DISTINCT FROM '${NOBODY}' OR source.found = cardinality(x.sources)`,
};

function describing(table: string, scope: string, revoked: string, jkt?: string): Statement {
  return {
    name: `describe_${table}`,
    text: `
    SELECT ${withGrant(scope, revoked, jkt)}${DESCRIPTION}
      FROM ${found(table)} ${GRANT} LEFT JOIN users u ON u.id = g.user_id`,
  };
}
