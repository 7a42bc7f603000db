import type { Positioned } from '../cursor.js';
import type { Statement } from '../../database/statement.js';

export interface ClientRow {
  readonly id: string;
  readonly created_at: Date;
  readonly client_id: string;
  readonly name: string;
  readonly scope: string;
  readonly audience: string[];
  readonly token_format: 'opaque' | 'jwt';
  readonly disabled_at: Date | null;
}

export interface SecretRow {
  readonly id: string;
  readonly created_at: Date;
}

const COLUMNS = 'id, created_at, client_id, name, scope, audience, token_format, disabled_at';

export const ADD_CLIENT: Statement = {
  name: 'add_client',
  text: `INSERT INTO clients (client_id, name, scope, audience, token_format) VALUES ($1, $2, $3, $4, $5)
         RETURNING ${COLUMNS}`,
};

export const ADD_SECRET: Statement = {
  name: 'add_client_secret',
  text: `INSERT INTO client_secrets (client_id, digest, created_at, key_id) VALUES ($1, $2, $3, $4)
         RETURNING id, created_at`,
};

/** The row that issuing takes FOR SHARE: everything about a client changes under this lock. */
export const LOCK_CLIENT: Statement = {
  name: 'lock_client',
  text: `SELECT ${COLUMNS} FROM clients WHERE client_id = $1 FOR NO KEY UPDATE`,
};

export const FIND_CLIENT: Statement = {
  name: 'find_client',
  text: `SELECT ${COLUMNS} FROM clients WHERE client_id = $1`,
};

export const LIST_CLIENTS: Statement = {
  name: 'list_clients',
  text: `SELECT ${COLUMNS} FROM clients ORDER BY created_at, id`,
};

export interface ListedClientRow extends ClientRow, Positioned {}

export const LIST_PAGE: Statement = {
  name: 'list_page_of_clients',
  text: `SELECT ${COLUMNS}, ARRAY[created_at::text, id::text] AS position FROM clients
          WHERE (created_at, id) < ($1::timestamptz, $2::uuid) ORDER BY created_at DESC, id DESC LIMIT $3`,
};

export const LIST_SECRETS: Statement = {
  name: 'list_client_secrets',
  text: `SELECT id, created_at FROM client_secrets WHERE client_id = $1 ORDER BY created_at DESC, id`,
};

export const RETIRE_SECRETS: Statement = {
  name: 'retire_client_secrets',
  text: `DELETE FROM client_secrets WHERE client_id = $1 AND id = ANY ($2) RETURNING id, created_at`,
};

export const UPDATE_CLIENT: Statement = {
  name: 'update_client',
  text: `UPDATE clients SET scope = $2, disabled_at = $3 WHERE client_id = $1 RETURNING ${COLUMNS}`,
};

export const IS_AUDIENCE: Statement = {
  name: 'is_audience',
  text: `SELECT 1 FROM clients WHERE audience @> ARRAY[$1::text] LIMIT 1`,
};
