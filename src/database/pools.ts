import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { Pool, PoolConfig } from 'pg';
import { hostsOf } from '../config/database-url.js';
import { PinnedClient } from './pinned-client.js';
import type { DatabaseConnection } from './session-settings.js';
import { Way } from './way.js';

/** What one process opens at most: both pools, and maintenance. */
export const CONNECTIONS_MOST = 15;

/** How long the database may take, all from `DATABASE_TIMEOUT`: milliseconds. */
export interface Patience {
  readonly acquireMs: number;
  readonly statementMs: number;
  /**
   * The server gives up first and says so, and then nothing has been done. If both waited equally long, a change could still
   * be committed after its 503.
   */
  readonly answerMs: number;
  /** Waiting for a connection and for the answer add up. With 400 a 503 leaves within a second. */
  readonly worstMs: number;
}

/** @param statementMs `DATABASE_TIMEOUT` */
export function patienceOf(statementMs: number): Patience {
  // the way there and back, and a turn of the event loop at both ends
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
 * On a small analysed table the planner prefers to read whole partitions for a batch, and keeps doing so until the next
 * autovacuum. On these connections it may only use indexes. It also plans once: for a batch of fewer than ten tokens it would
 * otherwise plan anew each time, and planning is two thirds of the cost of a single token.
 */
const PROBES_ONLY =
  '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';

/** For all that changes or lists. @param timeoutMs what a statement may take */
export function mainPool(connection: DatabaseConnection, timeoutMs: number): Pool {
  return guarded(new pg.Pool(onThePrimary({ ...connection, ...mainOptions(timeoutMs) })));
}

/** The few connections that validations share, and refreshes, which hold two of them at most. */
export function hotPool(connection: DatabaseConnection, timeoutMs: number): Pool {
  const options = {
    ...connection,
    ...mainOptions(timeoutMs),
    max: 6,
    // a request after a quiet time finds one that has its statements prepared
    min: 1,
    options: [connection.options, PROBES_ONLY].filter(Boolean).join(' '),
  };
  return guarded(new pg.Pool(onThePrimary(options)));
}

type Verified = PoolConfig & { verify: (client: pg.PoolClient, done: (error?: Error) => void) => void };

/** None of them ever talks to a standby, because its answer could be out of date. */
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

/** An idle or borrowed client that loses its connection emits `error`; without a listener that ends the process. */
export function guarded(pool: Pool): Pool {
  const ignore = () => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

/**
 * @param url postgresql://, a socket directory as `?host=`; several hosts with commas
 * @param schema in which the tables are
 */
export function connectionOf(url: string, schema?: string): DatabaseConnection {
  const { url: one, places } = hostsOf(inOneWord(url));
  return { ...parseIntoClientConfig(one), schema, way: new Way(places) };
}

/** Today the driver reads these words as `verify-full`, and warns that this will change. Here they always mean that. */
function inOneWord(url: string): string {
  if (/[?&]uselibpqcompat=true(?=[&#]|$)/.test(url)) return url;
  return url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=[&#]|$)/g, '$1verify-full');
}
