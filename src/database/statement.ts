import type { QueryResultRow } from 'pg';

/** A statement that each connection prepares once under its name. The text of a name never changes. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /**
   * Set if the statement ends something. After a failover it is repeated: by itself, or by another statement that ends
   * nothing made since.
   */
  readonly again?: 'same' | Again;
}

export interface Again {
  readonly statement: Statement;
  /** The number of rows of one step. If the statement returns this many, it runs again. */
  readonly step: number;
  /** The number of values that it takes, from the first on; all if absent. */
  readonly parameters?: number;
  /** Repeated only if the first run returned a row: otherwise there was nothing to end. */
  readonly ifRows?: true;
}

export interface Queries {
  /** @throws Unavailable when the database could not answer */
  run<R extends QueryResultRow>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
}
