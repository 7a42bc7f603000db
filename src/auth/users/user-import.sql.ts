import type { Statement } from '../../database/statement.js';

export interface NamedRow {
  readonly name_folded: string;
}

/** One statement for many: all of it is there or nothing. Sorted, so that two imports at once do not wait in a circle. */
export const IMPORT_USERS: Statement = {
  name: 'import_users',
  text: `
    WITH added AS (
      INSERT INTO users (id, name, name_folded, password_hash, scope, disabled_at)
      SELECT coalesce(id, gen_random_uuid()), name, name_folded, password_hash, scope, CASE WHEN disabled THEN $7::timestamptz END
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])
          AS wanted (id, name, name_folded, password_hash, scope, disabled)
       ORDER BY name_folded
      ON CONFLICT DO NOTHING RETURNING name, name_folded, scope, disabled_at
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, detail)
      SELECT $7, 'user.added', 'operator',
             jsonb_build_object('user', name, 'scope', scope, 'imported', true, 'disabled', disabled_at IS NOT NULL)
        FROM added
    )
    SELECT name_folded FROM added`,
};

export const NAMES_TAKEN: Statement = {
  name: 'names_taken',
  text: 'SELECT name_folded FROM users WHERE name_folded = ANY ($1)',
};

export const IDS_TAKEN: Statement = {
  name: 'ids_taken',
  text: 'SELECT id FROM users WHERE id = ANY ($1)',
};
