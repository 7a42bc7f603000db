import type { QueryResultRow } from 'pg';

/** A statement that is prepared once a connection under its name. The text of a name never changes. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /**
   * Of what ends something: after a failover it is done again, with the same values, by itself or by another one that ends
   * nothing made since. If it returns as many rows as one step takes, it is done once more.
   */
  readonly again?: 'same' | { readonly statement: Statement; readonly step: number };
}

export interface Queries {
  /** @throws Unavailable when the database could not answer */
  run<R extends QueryResultRow>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
}
