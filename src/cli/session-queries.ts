import type { Client } from 'pg';
import type { Queries } from '../database/statement.js';

/** The verb's own session, for work on whole tables: it takes longer than the statements of services may. */
export function queriesOf(client: Client): Queries {
  return {
    run: async <R extends object>({ text }: { readonly text: string }, values: readonly unknown[] = []) =>
      (await client.query<R>(text, [...values])).rows,
  };
}
