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

/** How statements are sent on this connection. */
export interface HotManner {
  readonly names: boolean;
  /** Has no rows. */
  readonly preamble: Statement | undefined;
}

const DIRECT: HotManner = { names: true, preamble: undefined };

/**
 * A prepared statement for the path of every request. `pg`'s own query asks PostgreSQL to describe the columns each time, and
 * builds a parser for each column and an object for each row. This one knows its columns and leaves their text as it came.
 * Each object is sent once. It has the methods that a `pg` client calls on an argument of `query`.
 */
export class HotQuery implements Submittable {
  readonly name: string;
  readonly text: string;
  private readonly rows: HotRow[] = [];

  /**
   * @param callback `pg` puts its time-out around it
   * @param manner behind a pooler: what is to be said first in the same transaction, and whether names last
   */
  constructor(
    statement: Statement,
    private readonly values: readonly Buffer[],
    public callback: (error: unknown, rows: readonly HotRow[]) => void,
    private readonly manner: HotManner = DIRECT,
  ) {
    this.name = manner.names ? statement.name : '';
    this.text = statement.text;
  }

  submit(by: Connection): void {
    const connection = by as unknown as PreparedConnection;
    connection.stream.cork();
    if (this.manner.preamble) this.send(connection, this.manner.preamble, []);
    this.send(connection, this, this.values);
    connection.sync();
    connection.stream.uncork();
  }

  private send(
    connection: PreparedConnection,
    { name: given, text }: Statement,
    values: readonly Buffer[],
  ): void {
    const name = this.manner.names ? given : '';
    if (
      !name ||
      (connection.parsedStatements[name] ?? connection.submittedNamedStatements[name]) === undefined
    ) {
      connection.parse({ name, text });
      if (name) connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values });
    connection.execute({});
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

  /** How many rows there were is seen by counting them; what came before it had none. */
  handleCommandComplete(): void {}
}
