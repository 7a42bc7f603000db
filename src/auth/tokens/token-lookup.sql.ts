import { endedWithOwner } from '../grants/owner-ending.sql.js';
import type { TokenKind } from './token-format.js';
import type { Statement } from '../../database/statement.js';

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
  /**
   * Of a login and of an API key; the client of a client's own; both of a consent. Neither: a token from before it said so itself, or one whose
   * owner's grants have ended, perhaps its own. Only its grant knows.
   */
  userId: string | null,
  clientId: string | null,
  scope: string,
  audience: string,
  /** `revoked`, `grant_revoked`, or of a living token the thumbprint of the key that it is bound to (RFC 9449 §6). */
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
  /** Clients, the one who acts now first, with spaces between; NULL if it was made from no other token. */
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

/** The columns of a TokenRow, of a table that has the alias `t`. */
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

/** The columns of a DescribedRow after these: who and since when. */
const DESCRIPTION = `, u.name, floor(date_part('epoch', t.created_at))::bigint`;

/** The expiry that stands in a token names the partition. */
const found = (table: string): string =>
  `unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS q (digest, expires_at, at)
      JOIN ${table} t ON t.digest = q.digest AND t.expires_at = q.expires_at`;

/**
 * In place of the person where the token's row alone does not tell: of a consent whose grants are being ended, for without any it
 * would look like the client's own; and of each token that was made from another one, in its row itself.
 */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * Whether anybody's grants are being ended is asked once a statement, and whether this owner's, of each token only then: by
 * a probe, which a hash of all of them must not replace.
 */
const USER_UNLESS_ENDING = `CASE WHEN EXISTS (SELECT FROM owner_endings)
                AND (SELECT true FROM owner_endings x WHERE x.user_id = t.user_id LIMIT 1)
                THEN CASE WHEN t.client_id IS NOT NULL THEN '${NOBODY}'::uuid END ELSE t.user_id END`;

/** Of the token's own row, and the little table of grants that have ended. */
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

/** The audience of an API key is whoever its grant was made for: see ApiKeys. */
export const LOOK_UP_API_KEYS: Statement = {
  name: 'look_up_api_keys',
  text: `
    SELECT ${withGrant('g.scope', 'false', 'NULL')}
      FROM ${found('api_keys')} ${GRANT}`,
};

/** For introspection. A used refresh token is as good as revoked. */
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

/** What a token was made from: as many as there are stay longer than itself, so one that is missing is being moved. */
const SOURCES = `LEFT JOIN token_exchanges x ON t.user_id = '${NOBODY}' AND x.digest = t.digest
      LEFT JOIN LATERAL (
        SELECT count(*) AS found, coalesce(bool_or(s.revoked_at IS NOT NULL), false) AS revoked
          FROM unnest(x.sources, x.source_expires) AS one (digest, expires_at)
          JOIN access_tokens s ON s.digest = one.digest AND s.expires_at = one.expires_at
      ) source ON x.digest IS NOT NULL`;

/**
 * For tokens that do not say whose they are, for those that were made from others, and for those whose owner's grants are being
 * ended: by their grants.
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
