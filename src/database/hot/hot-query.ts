import type { Connection, Submittable } from 'pg';
import type { Statement } from '../statement.js';

/** The fields of a row as text, in the order of its columns. */
export type HotRow = readonly (string | null)[];

/** What `pg` says of an answer, so far as it is needed here. */
interface DataRow {
  readonly fields: HotRow;
}

/** What `pg`'s own query asks of a connection; its types leave out what has been prepared. */
interface PreparedConnection {
  readonly stream: { cork(): void; uncork(): void };
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: Statement): void;
  bind(values: { statement: string; values: readonly Buffer[] }): void;
  execute(portal: object): void;
  sync(): void;
}

/**
 * A prepared statement for the path of every request. `pg`'s own query has PostgreSQL describe the columns each time, builds
 * a parser a column and an object a row; this one knows its columns, and leaves their text as it came.
 * One query is sent once. It has the methods that a `pg` client calls on what it is given to `query`.
 */
export class HotQuery implements Submittable {
  readonly name: string;
  readonly text: string;
  private readonly rows: HotRow[] = [];

  /** @param callback `pg` puts its time-out around it */
  constructor(
    statement: Statement,
    private readonly values: readonly Buffer[],
    public callback: (error: unknown, rows: readonly HotRow[]) => void,
  ) {
    this.name = statement.name;
    this.text = statement.text;
  }

  submit(by: Connection): void {
    const connection = by as unknown as PreparedConnection;
    const { name, text } = this;
    connection.stream.cork();
    if ((connection.parsedStatements[name] ?? connection.submittedNamedStatements[name]) === undefined) {
      connection.parse({ name, text });
      connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values: this.values });
    connection.execute({});
    connection.sync();
    connection.stream.uncork();
  }

  handleDataRow({ fields }: DataRow): void {
    this.rows.push(fields);
  }

  handleReadyForQuery(): void {
    this.callback(null, this.rows);
  }

  handleError(error: unknown): void {
    this.callback(error, []);
  }

  /** How many rows there were is seen by counting them. */
  handleCommandComplete(): void {}
}
