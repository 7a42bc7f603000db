import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { ClientConfig, Pool, PoolConfig } from 'pg';

/** What one process opens at most: both pools, and maintenance. */
export const CONNECTIONS_MOST = 15;

/** Milliseconds. Waiting for a connection and for the answer add up, and a 503 has to leave within a second. */
const ACQUIRE_MS = 400;
const ANSWER_MS = 500;
/**
 * The server gives up first, and says so: what it cancelled has not been done. If both waited equally long, a change could
 * still be committed after its 503.
 */
const STATEMENT_MS = 400;

const MAIN_POOL: PoolConfig = {
  max: 10,
  connectionTimeoutMillis: ACQUIRE_MS,
  query_timeout: ANSWER_MS,
  statement_timeout: STATEMENT_MS,
  idle_in_transaction_session_timeout: 5_000,
  keepAlive: true,
};

/**
 * On a small analysed table the planner prefers to read whole partitions for a batch, and stays with that until autovacuum
 * comes by. On these connections it may only probe indexes. It plans once: for a batch of fewer than ten tokens it
 * would else find a plan of its own cheaper each time, and planning is two thirds of what a single token costs.
 */
const PROBES_ONLY =
  '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';

/** For all that changes or lists. */
export function mainPool(connection: ClientConfig): Pool {
  return guarded(new pg.Pool({ ...connection, ...MAIN_POOL }));
}

/** The few connections that validations share. None of them ever talks to a standby: its answer could be old. */
export function hotPool(connection: ClientConfig): Pool {
  const options: PoolConfig & { verify: (client: pg.PoolClient, done: (error?: Error) => void) => void } = {
    ...connection,
    ...MAIN_POOL,
    max: 4,
    // a request after a quiet time finds one that has its statements prepared
    min: 1,
    options: [connection.options, PROBES_ONLY].filter(Boolean).join(' '),
    verify: (client, done) => {
      client.query('SELECT pg_is_in_recovery() AS standby').then(
        (answer) => done(answer.rows[0]?.standby === false ? undefined : new Error('connected to a standby')),
        (error: unknown) => done(error instanceof Error ? error : new Error('connection lost')),
      );
    },
  };
  return guarded(new pg.Pool(options));
}

/** An idle or borrowed client that loses its connection emits `error`; without a listener that ends the process. */
export function guarded(pool: Pool): Pool {
  const ignore = () => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

/** @param url postgresql://, a socket directory as `?host=` */
export function connectionOf(url: string): ClientConfig {
  return parseIntoClientConfig(url);
}
