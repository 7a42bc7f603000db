import type { Statement } from '../../database/statement.js';
import { NO_SALT } from './pepper-id.js';

/** One kind of thing that needs a key: how many there are, and until when at the latest. Null if there is no end. */
export interface NeedRow {
  /** Null if it was not noted. For passwords, the name of the pepper. */
  readonly key_id: string | null;
  readonly count: number;
  readonly until: Date | null;
}

const byKey = (name: string, text: string): Statement => ({ name: `count_${name}_by_secret_key`, text });

/** An instance makes tokens between two notes, and before its first one; and whole minutes are counted. */
const MARGIN = `interval '6 minutes'`;

/**
 * Tokens are stored without the key that they were made with, because that would cost space in every row. So a token counts
 * for each key that was in use when it was made; if two were in use, it counts for both, and none is missing. Grouped by
 * minutes first, because there may be millions.
 */
const madeMeanwhile = (table: 'access_tokens' | 'refresh_tokens', living: string): string => `
  WITH living AS (
    SELECT date_trunc('minute', t.created_at) AS made, count(*) AS count, max(t.expires_at) AS until
      FROM ${table} t JOIN grants g ON g.id = t.grant_id
     WHERE t.expires_at > $1 AND ${living} AND g.revoked_at IS NULL AND coalesce(g.expires_at, 'infinity') > $1
     GROUP BY 1
  )
  SELECT k.key_id, sum(l.count)::float8 AS count, max(l.until) AS until
    FROM secret_keys k JOIN living l ON l.made BETWEEN k.first_made_at - ${MARGIN} AND k.last_made_at + ${MARGIN}
   GROUP BY k.key_id
  UNION ALL
  SELECT NULL, sum(l.count)::float8, max(l.until) FROM living l
   WHERE NOT EXISTS (SELECT FROM secret_keys k
                      WHERE l.made BETWEEN k.first_made_at - ${MARGIN} AND k.last_made_at + ${MARGIN})
  HAVING count(*) > 0`;

export const NEEDS = {
  passwords: byKey(
    'passwords',
    `SELECT substring(password_hash FROM '^keks1\\$([0-9a-f]{8})\\$') AS key_id, count(*)::float8 AS count, NULL AS until
       FROM users WHERE $1::timestamptz IS NOT NULL AND substr(password_hash, 23, 22) <> '${NO_SALT}'
        AND password_hash NOT LIKE 'keks0$%' GROUP BY 1`,
  ),
  access_tokens: byKey('access_tokens', madeMeanwhile('access_tokens', 't.revoked_at IS NULL')),
  refresh_tokens: byKey('refresh_tokens', madeMeanwhile('refresh_tokens', 't.used_at IS NULL')),
  api_keys: byKey(
    'api_keys',
    `SELECT k.key_id, count(*)::float8 AS count, max(k.expires_at) AS until
       FROM api_keys k JOIN grants g ON g.id = k.grant_id AND g.revoked_at IS NULL WHERE k.expires_at > $1 GROUP BY 1`,
  ),
  client_secrets: byKey(
    'client_secrets',
    `SELECT key_id, count(*)::float8 AS count, NULL AS until FROM client_secrets
      WHERE $1::timestamptz IS NOT NULL GROUP BY 1`,
  ),
  signing_keys: byKey(
    'signing_keys',
    `SELECT encode(substring(private_key FROM 1 FOR 4), 'hex') AS key_id, count(*)::float8 AS count,
            CASE WHEN bool_and(retires_at IS NOT NULL) THEN max(retires_at) END AS until
       FROM signing_keys WHERE coalesce(retires_at, 'infinity') > $1 GROUP BY 1`,
  ),
  receivers: byKey(
    'receivers',
    `SELECT encode(substring(sealed_authorization FROM 1 FOR 4), 'hex') AS key_id, count(*)::float8 AS count, NULL AS until
       FROM receivers WHERE $1::timestamptz IS NOT NULL AND sealed_authorization IS NOT NULL GROUP BY 1`,
  ),
} as const;
