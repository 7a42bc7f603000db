import type { Statement } from '../../database/statement.js';

export interface AddedRow {
  readonly id: string;
  readonly created_at: Date;
}

/** By hand: of two who take the same name at once one gets no row, and no error that would end the transaction. */
export const ADD: Statement = {
  name: 'add_user',
  text: `INSERT INTO users (name, name_folded, password_hash, scope, password_set_at)
         VALUES ($1, $2, $3, $4, clock_timestamp())
         ON CONFLICT (name_folded) DO NOTHING RETURNING id, created_at`,
};
