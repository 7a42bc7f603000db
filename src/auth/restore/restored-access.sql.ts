import type { RowOf } from '../../database/columns.js';
import type { Statement } from '../../database/statement.js';
import type { Client } from '../clients/client.entity.js';
import { NO_SALT } from '../secrets/pepper-id.js';
import type { User } from '../users/user.entity.js';

export const STEP = 1_000;

export interface StepRow {
  /** The last id of this step; the next step begins after it. Null if no row was left. */
  readonly last: string | null;
  readonly ended: number;
}

export interface FoundRow {
  readonly grants: number;
  readonly client_secrets: number;
  readonly passwords: number;
  readonly signing_keys: number;
}

const OLD_PASSWORD = `coalesce(u.password_set_at, u.created_at) < $BEFORE AND substr(u.password_hash, 23, 22) <> '${NO_SALT}'`;

/** One step in the order of the primary key, so that no statement takes long and an interrupted run can be repeated. */
export const END_CLIENT_SECRETS: Statement = {
  name: 'end_restored_client_secrets',
  text: `
    WITH step AS (
      SELECT id FROM client_secrets WHERE id > $1 ORDER BY id LIMIT ${STEP}
    ), ended AS (
      DELETE FROM client_secrets s USING step WHERE s.id = step.id AND s.created_at < $2
      RETURNING s.id, s.client_id
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, detail)
      SELECT $3, 'client.secret_retired', 'operator',
             jsonb_build_object('client_id', client_id, 'secret_id', id, 'reason', 'revoked_all')
        FROM ended
    )
    SELECT (SELECT max(id::text) FROM step) AS last, (SELECT count(*)::int FROM ended) AS ended`,
};

/** $4 is a hash that no password matches. Passwords that were set after $2 stay, so a run can be repeated. */
export const END_PASSWORDS: Statement = {
  name: 'end_restored_passwords',
  text: `
    WITH step AS (
      SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT ${STEP}
    ), ended AS (
      UPDATE users u SET password_hash = $4 FROM step
       WHERE u.id = step.id AND ${OLD_PASSWORD.replace('$BEFORE', '$2')}
      RETURNING u.name
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, detail)
      SELECT $3, 'user.password_ended', 'operator', jsonb_build_object('user', name) FROM ended
    )
    SELECT (SELECT max(id::text) FROM step) AS last, (SELECT count(*)::int FROM ended) AS ended`,
};

export const FIND_RESTORED: Statement = {
  name: 'find_restored',
  text: `
    SELECT (SELECT count(*)::float8 FROM grants
             WHERE created_at < $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)) AS grants,
           (SELECT count(*)::float8 FROM client_secrets WHERE created_at < $1) AS client_secrets,
           (SELECT count(*)::float8 FROM users u WHERE ${OLD_PASSWORD.replace('$BEFORE', '$1')}) AS passwords,
           (SELECT count(*)::float8 FROM signing_keys
             WHERE created_at < $1 AND coalesce(retires_at, 'infinity') > $2) AS signing_keys`,
};

export type WhoRow = RowOf<User, ['name', 'scope']>;
export type WhichClientRow = RowOf<Client, ['clientId', 'name', 'scope']>;

/** Written as SQL, like everything here: the CLI verb reads on its own connection, which has no repositories. */
export const ENABLED_USERS: Statement = {
  name: 'list_enabled_users',
  text: 'SELECT name, scope FROM users WHERE disabled_at IS NULL AND created_at < $1 ORDER BY name_folded',
};

export const ENABLED_CLIENTS: Statement = {
  name: 'list_enabled_clients',
  text: `SELECT client_id, name, scope FROM clients WHERE disabled_at IS NULL AND created_at < $1
          ORDER BY created_at, id`,
};
