import type { Statement } from '../../database/database.js';

export interface UserRow {
  readonly id: string;
  readonly created_at: Date;
  readonly name: string;
  readonly password_hash: string;
  readonly scope: string;
  readonly disabled_at: Date | null;
}

const COLUMNS = 'id, created_at, name, password_hash, scope, disabled_at';

export const FIND_BY_NAME: Statement = {
  name: 'find_user_by_name',
  text: `SELECT ${COLUMNS} FROM users WHERE name_folded = $1`,
};

export const REHASH: Statement = {
  name: 'rehash_user',
  text: `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id`,
};

export const ADD: Statement = {
  name: 'add_user',
  text: `INSERT INTO users (name, name_folded, password_hash, scope) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name_folded) DO NOTHING RETURNING ${COLUMNS}`,
};

export const SET_PASSWORD: Statement = {
  name: 'set_user_password',
  text: `UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING ${COLUMNS}`,
};

/** The first time of a disabling is kept. */
export const SET_DISABLED: Statement = {
  name: 'set_user_disabled',
  text: `UPDATE users SET disabled_at = CASE WHEN $2::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $2) END
          WHERE name_folded = $1 RETURNING ${COLUMNS}`,
};

export const LIST: Statement = {
  name: 'list_users',
  text: `SELECT ${COLUMNS} FROM users ORDER BY name_folded`,
};
