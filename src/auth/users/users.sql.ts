import type { Positioned } from '../cursor.js';
import type { Statement } from '../../database/statement.js';

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
  text: `INSERT INTO users (name, name_folded, password_hash, scope, password_set_at)
         VALUES ($1, $2, $3, $4, clock_timestamp())
         ON CONFLICT (name_folded) DO NOTHING RETURNING ${COLUMNS}`,
};

export const SET_PASSWORD: Statement = {
  name: 'set_user_password',
  text: `UPDATE users SET password_hash = $2, password_set_at = clock_timestamp() WHERE id = $1 RETURNING ${COLUMNS}`,
};

export interface ChangedUserRow extends UserRow {
  readonly scope_before: string;
  readonly disabled_before: boolean;
}

/**
 * Locks the row first, so that no grant is being issued meanwhile. The first time of a disabling is kept. A new epoch tells
 * the trigger, which ends the grants of whoever is disabled by hand, that this is done here.
 */
export const CHANGE_USER: Statement = {
  name: 'change_user',
  text: `
    WITH before AS (SELECT id, scope, disabled_at FROM users WHERE id = $1 FOR NO KEY UPDATE)
    UPDATE users SET scope = coalesce($2, before.scope),
                     disabled_at = CASE $3::boolean WHEN true THEN coalesce(before.disabled_at, $4)
                                                    WHEN false THEN NULL ELSE before.disabled_at END,
                     epoch = users.epoch + (before.disabled_at IS NULL AND $3 IS TRUE)::int
      FROM before WHERE users.id = before.id
    RETURNING users.id, created_at, name, password_hash, users.scope, users.disabled_at,
              before.scope AS scope_before, before.disabled_at IS NOT NULL AS disabled_before`,
};

/** The row that issuing takes FOR SHARE. */
export const LOCK_USER: Statement = {
  name: 'lock_user',
  text: `SELECT ${COLUMNS} FROM users WHERE id = $1 FOR NO KEY UPDATE`,
};

export const FIND_BY_ID: Statement = {
  name: 'find_user_by_id',
  text: `SELECT ${COLUMNS} FROM users WHERE id = $1`,
};

/** Only against the password that was checked. */
export const CHANGE_PASSWORD: Statement = {
  name: 'change_user_password',
  text: `UPDATE users SET password_hash = $3, password_set_at = clock_timestamp()
          WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL
         RETURNING ${COLUMNS}`,
};

export const LIST: Statement = {
  name: 'list_users',
  text: `SELECT ${COLUMNS} FROM users ORDER BY name_folded`,
};

export interface ListedUserRow extends UserRow, Positioned {}

export const LIST_PAGE: Statement = {
  name: 'list_page_of_users',
  text: `SELECT ${COLUMNS}, ARRAY[name_folded] AS position FROM users WHERE name_folded > $1
          ORDER BY name_folded LIMIT $2`,
};
