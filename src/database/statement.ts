import type { QueryResultRow } from 'pg';

/** A statement that is prepared once a connection under its name. The text of a name never changes. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Of what ends something: after a failover it is done again, by itself or by another one that ends nothing made since. */
  readonly again?: 'same' | Again;
}

export interface Again {
  readonly statement: Statement;
  /** If it returns as many rows as one step takes, it is done once more. */
  readonly step: number;
  /** How many of the values it takes, from the first on; all if absent. */
  readonly parameters?: number;
  /** Only if a row came the first time: else there was nothing to end. */
  readonly ifRows?: true;
}

export interface Queries {
  /** @throws Unavailable when the database could not answer */
  run<R extends QueryResultRow>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
}
