import type { Statement } from '../../database/statement.js';

export interface SigningKeyRow {
  readonly kid: string;
  readonly alg: string;
  readonly private_key: Buffer;
  readonly public_jwk: { readonly x: string; readonly y: string };
  readonly created_at: Date;
  readonly signs_from: Date;
  readonly retires_at: Date | null;
}

export const READ_SIGNING_KEYS: Statement = {
  name: 'read_signing_keys',
  text: `SELECT kid, alg, private_key, public_jwk, created_at, signs_from, retires_at
           FROM signing_keys ORDER BY signs_from, kid`,
};

/** Whoever adds a key holds it: the statement after it sees every key that was added before. */
export const LOCK_SIGNING_KEYS: Statement = {
  name: 'lock_signing_keys',
  text: `SELECT pg_advisory_xact_lock(hashtext('keks signing keys'))`,
};

/**
 * Adds a key, unless one that signs from later than $6 is there already: of any number at once one wins. Keys in $7 do
 * not count, because a token would outlive them. The predecessors retire at $8, if they would not sooner.
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

export const RESEAL_SIGNING_KEY: Statement = {
  name: 'reseal_signing_key',
  text: `UPDATE signing_keys SET private_key = $2 WHERE kid = $1 AND private_key = $3 RETURNING kid`,
};

export const DELETE_SIGNING_KEYS: Statement = {
  name: 'delete_signing_keys',
  text: `DELETE FROM signing_keys WHERE retires_at <= $1 RETURNING kid`,
};
