import type { Statement } from '../../database/statement.js';

/** Take it before adding a key: the next statement then sees every key that was added before. */
export const LOCK_SIGNING_KEYS: Statement = {
  name: 'lock_signing_keys',
  text: `SELECT pg_advisory_xact_lock(hashtext('keks signing keys'))`,
};

/**
 * Adds a key, unless one that signs from later than $6 is there already: of any number at once one wins. Keys in $7 do
 * not count, because a token would outlive them. The predecessors retire at $8, if they would not sooner. By hand, because
 * it answers which those were.
 */
export const ADD_SIGNING_KEY: Statement = {
  name: 'add_signing_key',
  text: `
    WITH successor AS (
      INSERT INTO signing_keys (kid, alg, private_key, public_jwk, signs_from, created_at)
      SELECT $1::text, 'ES256', $2::bytea, $3::jsonb, $4::timestamptz, $5::timestamptz
       WHERE NOT EXISTS (
         SELECT FROM signing_keys
          WHERE signs_from > $6::timestamptz AND coalesce(retires_at, 'infinity') > $5::timestamptz
            AND kid <> ALL ($7::text[]))
      RETURNING kid
    ), predecessors AS (
      UPDATE signing_keys SET retires_at = $8::timestamptz FROM successor
       WHERE coalesce(signing_keys.retires_at, 'infinity') > $8::timestamptz
      RETURNING signing_keys.kid
    )
    SELECT kid, ARRAY(SELECT kid FROM predecessors) AS predecessors FROM successor`,
};
