import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { Pool, PoolConfig } from 'pg';
import { hostsOf } from '../config/database-url.js';
import { PinnedClient } from './pinned-client.js';
import type { DatabaseConnection } from './session-settings.js';
import { Way } from './way.js';

/** The most connections of one process: both pools, and one for maintenance. */
export const CONNECTIONS_MOST = 15;

/** The time limits for the database, all derived from `DATABASE_TIMEOUT`: milliseconds. */
export interface Patience {
  readonly acquireMs: number;
  readonly statementMs: number;
  /**
   * Longer than `statementMs`: the server gives up first and says so, and then nothing has been done. With equal
   * limits, a change could still be committed after its 503.
   */
  readonly answerMs: number;
  /** The sum of waiting for a connection and for the answer. With 400, a 503 leaves within a second. */
  readonly worstMs: number;
}

/** @param statementMs `DATABASE_TIMEOUT` */
export function patienceOf(statementMs: number): Patience {
  // the network both ways, and a turn of the event loop at both ends
  const answerMs = statementMs + Math.max(100, statementMs / 4);
  return { acquireMs: statementMs, statementMs, answerMs, worstMs: statementMs + answerMs };
}

function mainOptions(timeoutMs: number): PoolConfig {
  const { acquireMs, statementMs, answerMs } = patienceOf(timeoutMs);
  return {
    max: 8,
    connectionTimeoutMillis: acquireMs,
    query_timeout: answerMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: Math.max(5_000, statementMs),
    keepAlive: true,
  };
}

/**
 * The hot connections may only use indexes. Otherwise, on a small analysed table the planner prefers to read whole
 * partitions for a batch, and keeps doing so until the next autovacuum. They also plan only once. Otherwise PostgreSQL
 * would plan anew for each batch of fewer than ten tokens, and planning is two thirds of the cost of a single token.
 */
const PROBES_ONLY =
  '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';

/** The pool for all that changes or lists. @param timeoutMs the time limit of a statement */
export function mainPool(connection: DatabaseConnection, timeoutMs: number): Pool {
  return guarded(new pg.Pool(onThePrimary({ ...connection, ...mainOptions(timeoutMs) })));
}

/**
 * The few connections for token validation, client authentication and refreshes. Refreshes hold two of them at most.
 */
export function hotPool(connection: DatabaseConnection, timeoutMs: number): Pool {
  const options = {
    ...connection,
    ...mainOptions(timeoutMs),
    max: 6,
    // after a quiet time, a request finds a connection whose statements are prepared
    min: 1,
    options: [connection.options, PROBES_ONLY].filter(Boolean).join(' '),
  };
  return guarded(new pg.Pool(onThePrimary(options)));
}

type Verified = PoolConfig & { verify: (client: pg.PoolClient, done: (error?: Error) => void) => void };

/** No connection of these pools talks to a standby, because the answer of a standby could be out of date. */
function onThePrimary(options: PoolConfig): Verified & Pick<DatabaseConnection, 'primaryOnly'> {
  return {
    ...options,
    primaryOnly: true,
    verify: (client, done) => {
      const primary = client instanceof PinnedClient && !client.standby;
      done(primary ? undefined : new Error('connected to a standby'));
    },
    Client: PinnedClient,
  };
}

/** An idle or borrowed client that loses its connection emits `error`. Without a listener, `error` ends the process. */
export function guarded(pool: Pool): Pool {
  const ignore = () => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

/**
 * @param url postgresql://; a socket directory as `?host=`; several hosts separated by commas
 * @param schema the schema of the tables
 */
export function connectionOf(url: string, schema?: string): DatabaseConnection {
  const { url: one, places } = hostsOf(inOneWord(url));
  return { ...parseIntoClientConfig(one), schema, way: new Way(places) };
}

/**
 * The driver reads `prefer`, `require` and `verify-ca` as `verify-full` today, and warns that this will change. Here
 * they always mean `verify-full`.
 */
function inOneWord(url: string): string {
  if (/[?&]uselibpqcompat=true(?=[&#]|$)/.test(url)) return url;
  return url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=[&#]|$)/g, '$1verify-full');
}
