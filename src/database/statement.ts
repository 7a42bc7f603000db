import type { QueryResultRow } from 'pg';

/** A statement that is prepared once a connection under its name. The text of a name never changes. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface Queries {
  /** @throws Unavailable when the database could not answer */
  run<R extends QueryResultRow>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
}
