import type pg from 'pg';
import { openClient } from './pinned-client.js';
import type { DatabaseConnection } from './session-settings.js';
import { wayOf } from './way.js';

/** The properties of the pooler between us and PostgreSQL, as far as this program can see them. */
export interface PoolerFacts {
  /** The pooler supports named statements by giving them its own names. */
  readonly renames: boolean;
  /** Each connection keeps its session until it ends. */
  readonly session: boolean;
  /** The pooler takes the parameters that are sent at the start of a connection. */
  readonly startParameters: boolean;
}

/** Finds the name of this very statement: its own name, or the name from the pooler. */
const OWN_NAME = {
  name: 'keks_own_name',
  text: `SELECT name FROM pg_prepared_statements WHERE statement LIKE '%keks_own' || '_name%' /* keks_own_name */`,
};
const ROUNDS = 4;

/**
 * Finds out what kind of pooler is in between, and notes for all connections whether statements can have names.
 * @returns undefined if there is no pooler
 */
export async function meetPooler(connection: DatabaseConnection): Promise<PoolerFacts | undefined> {
  const way = wayOf(connection);
  if (!way.pooled) return undefined;
  // this test needs its statement name unchanged
  way.names = true;
  const [client, other] = await both(connection);
  try {
    const { rows } = await client.query<{ name: string }>(OWN_NAME);
    const renames = rows[0] !== undefined && rows[0].name !== OWN_NAME.name;
    const session = !renames && (await keepsSessions(client, other));
    way.names = renames || session;
    return { renames, session, startParameters: way.startParameters };
  } finally {
    await Promise.all([client, other].map((one) => one.end().catch(() => undefined)));
  }
}

async function both(connection: DatabaseConnection): Promise<[pg.Client, pg.Client]> {
  const first = await openClient(connection);
  try {
    return [first, await openClient(connection)];
  } catch (error) {
    await first.end().catch(() => undefined);
    throw error;
  }
}

/**
 * Tests whether the pooler keeps sessions. While the other client has a transaction open, that client has a session to
 * itself. If the pooler shares sessions, that is mostly the session that our client had last. A very busy pooler can
 * pass for one that keeps sessions; the statements that then fail show it by their error.
 */
async function keepsSessions(client: pg.Client, other: pg.Client): Promise<boolean> {
  for (let round = 1; round <= ROUNDS; round += 1) {
    const mine = await processOf(client);
    await other.query('BEGIN');
    const theirs = await processOf(other);
    const now = await processOf(client);
    await other.query('COMMIT');
    if (theirs === mine || now !== mine) return false;
  }
  return true;
}

async function processOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid;
}

/** For the log and for `keks doctor`. */
export function describePooler({ renames, session }: PoolerFacts): string {
  if (session) return 'a pooler in session mode is in between: each transaction says its settings itself';
  if (renames)
    return 'a pooler in transaction mode is in between: each transaction says its settings itself; it keeps prepared statements';
  return 'a pooler in transaction mode that keeps no prepared statements is in between: each statement is planned anew';
}
