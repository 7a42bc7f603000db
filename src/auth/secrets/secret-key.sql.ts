import type { Statement } from '../../database/statement.js';

export interface SecretKeyRow {
  readonly key_id: string;
  readonly pepper_id: string;
  readonly first_made_at: Date;
  readonly makes_since: Date;
  readonly last_made_at: Date;
  readonly refused_at: Date | null;
}

/** A key that nobody has made with since $4 begins anew. */
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
  text: `SELECT key_id, pepper_id, first_made_at, makes_since, last_made_at, refused_at FROM secret_keys
          ORDER BY makes_since, key_id`,
};

export const NOTE_REFUSED: Statement = {
  name: 'note_refused_secret_keys',
  text: `UPDATE secret_keys SET refused_at = $2 WHERE key_id = ANY ($1)`,
};
