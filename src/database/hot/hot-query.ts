import type { Connection, Submittable } from 'pg';
import type { Statement } from '../statement.js';

/** The fields of a row as text, in the order of its columns. */
export type HotRow = readonly (string | null)[];

/** The part of an answer of `pg` that this file needs. */
interface DataRow {
  readonly fields: HotRow;
}

/** The members of a connection that `pg`'s own query uses. The types of `pg` leave out the prepared statements. */
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
  /** A statement that returns no rows. It runs first in the same transaction. */
  readonly preamble: Statement | undefined;
}

const DIRECT: HotManner = { names: true, preamble: undefined };

/**
 * A prepared statement for the path of every request. `pg`'s own query asks PostgreSQL to describe the columns each
 * time, and builds a parser for each column and an object for each row. This one knows its columns and keeps their text
 * unchanged. Send each object once. It has the methods that a `pg` client calls on an argument of `query`.
 */
export class HotQuery implements Submittable {
  readonly name: string;
  readonly text: string;
  private readonly rows: HotRow[] = [];

  /**
   * @param callback `pg` wraps it with its time-out
   * @param manner behind a pooler: the statement to send first in the same transaction, and whether statement names
   * last
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

  /** Does nothing: the rows are counted already, and the preamble has none. */
  handleCommandComplete(): void {}
}
