import { columnsOf, type RowOf } from '../../database/columns.js';
import type { Statement } from '../../database/statement.js';
import type { SecretKey } from './secret-key.entity.js';

/** By hand, all of them: `keks doctor` reads on a connection of its own, on which there are no repositories. */
const KEY = ['keyId', 'pepperId', 'firstMadeAt', 'makesSince', 'lastMadeAt', 'refusedAt'] as const;

export type SecretKeyRow = RowOf<SecretKey, typeof KEY>;

/** If nobody has used the key since $4, its use begins anew. */
export const NOTE_MAKING: Statement = {
  name: 'note_making_secret_key',
  text: `
    INSERT INTO secret_keys AS k (key_id, pepper_id, first_made_at, makes_since, last_made_at)
    VALUES ($1, $2, $3, $3, $3)
    ON CONFLICT (key_id) DO UPDATE SET
      makes_since  = CASE WHEN k.last_made_at < $4 THEN excluded.makes_since ELSE k.makes_since END,
      last_made_at = greatest(k.last_made_at, excluded.last_made_at)`,
};

export const READ_SECRET_KEYS: Statement = {
  name: 'read_secret_keys',
  text: `SELECT ${columnsOf(KEY)} FROM secret_keys ORDER BY makes_since, key_id`,
};

export const NOTE_REFUSED: Statement = {
  name: 'note_refused_secret_keys',
  text: `UPDATE secret_keys SET refused_at = $2 WHERE key_id = ANY ($1)`,
};
