import { Inject, Injectable } from '@nestjs/common';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../config/config.js';
import { HotQuery, type HotManner, type HotRow } from './hot/hot-query.js';
import type { PooledDataSource } from './pooled-data-source.js';
import { PinnedClient } from './pinned-client.js';
import { asUnavailable, isLostName, isPassing, sqlState } from './postgres-error.js';
import { hotPool, mainPool } from './pools.js';
import type { DatabaseConnection } from './session-settings.js';
import { RecentEndings, type Repeated } from './recent-endings.js';
import { Unavailable } from '../http/errors/unavailable.js';
import type { Statement, Queries } from './statement.js';

/** Read from the name of the WAL file that PostgreSQL writes now. This name is correct at once after a promotion. */
const TIMELINE: Statement = {
  name: 'timeline',
  text: `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline`,
};

/** Hand-written statements and repositories on one connection. `entities` is TypeORM's manager of this transaction. */
export interface Transaction extends Queries {
  readonly entities: EntityManager;
}

/**
 * Owns the two pools, the only way to send SQL: `run` and `transaction` for all that changes or lists, `runHot` for
 * token validation, client authentication and refreshes. Never retries a statement, because only the caller knows
 * whether that is safe; except if PostgreSQL refused it while attaching a partition, which has done nothing.
 */
@Injectable()
export class Database implements Queries {
  private main: Pool | undefined;
  private hot: Pool | undefined;
  private source: PooledDataSource | undefined;
  /** The number of hosts to try for a connection. */
  private places = 0;
  private pooled = false;
  /** Whether statements may reach a new server: a new connection may, an open connection only behind a pooler. */
  private elsewhere = false;
  private readonly recentEndings = new RecentEndings();

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'DATABASE_TIMEOUT'>) {}

  /** True once the schema is in place and the primary has answered. */
  get open(): boolean {
    return this.main !== undefined;
  }

  /** Call this once the schema is known to be right. @param source TypeORM on the main pool, for the repositories */
  async attach(connection: DatabaseConnection, source: PooledDataSource): Promise<void> {
    this.places = connection.way?.places.length ?? 0;
    this.main = mainPool(connection, this.config.DATABASE_TIMEOUT);
    this.main.on('connect', () => (this.elsewhere = true));
    this.pooled = connection.way?.pooled ?? false;
    this.hot = hotPool(connection, this.config.DATABASE_TIMEOUT);
    this.source = source;
    if (!source.isInitialized) await source.initialize();
  }

  /** Lends a connection of the main pool. @throws Unavailable */
  lend(): Promise<PoolClient> {
    return acquire(required(this.main), this.places);
  }

  async detach(): Promise<void> {
    const pools = [this.main, this.hot];
    this.main = undefined;
    this.hot = undefined;
    await Promise.all(pools.map((pool) => pool?.end()));
  }

  async run<R extends QueryResultRow>(statement: Statement, values: readonly unknown[] = []): Promise<R[]> {
    const rows = await onceMore(() => this.send<R>(statement, values));
    this.recentEndings.note(statement, values, rows.length);
    return rows;
  }

  /** Notes an ending by another process: after a failover this process repeats the ending. */
  remember(statement: Statement, values: readonly unknown[]): void {
    this.recentEndings.note(statement, values, 1);
  }

  /** After a failover, repeats the endings that were acknowledged lately. @throws Unavailable: try again */
  async repeatEndings(): Promise<Repeated | undefined> {
    if (!this.elsewhere && !this.pooled) return undefined;
    const [row] = await this.run<{ timeline: number }>(TIMELINE);
    const queries: Queries = {
      run: (statement, values = []) => onceMore(() => this.send(statement, values)),
    };
    if (!row) return undefined;
    this.elsewhere = false;
    try {
      return await this.recentEndings.repeatAfter(row.timeline, queries);
    } catch (error) {
      this.elsewhere = true;
      throw error;
    }
  }

  private async send<R extends QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<R[]> {
    if (this.places === 0) return query<R>(required(this.main), statement, values);
    const client = await this.lend();
    try {
      const rows = await query<R>(client, statement, values);
      client.release();
      return rows;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** @param values in PostgreSQL's binary format @throws Unavailable when the database could not answer */
  runHot<R extends HotRow>(statement: Statement, values: readonly Buffer[] = []): Promise<readonly R[]> {
    return onceMore(() => this.sendHot<R>(statement, values));
  }

  private async sendHot<R extends HotRow>(
    statement: Statement,
    values: readonly Buffer[],
  ): Promise<readonly R[]> {
    const client = await acquire(required(this.hot), this.places);
    return new Promise((resolve, reject) => {
      const done = (error: unknown, rows: readonly HotRow[]): void => {
        client.release(error !== null);
        if (error === null) resolve(rows as readonly R[]);
        else reject(asUnavailable(noted(client, error)));
      };
      client.query(new HotQuery(statement, values, done, mannerOf(client)));
    });
  }

  /**
   * @param work runs in READ COMMITTED, and acts only through its queries: it may run twice, the first time rolled back
   * @throws Unavailable also if the outcome of the commit is unknown: the caller must not claim that it happened
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return onceMore(() => this.attempt(work));
  }

  private async attempt<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.lend();
    try {
      const runner = await required(this.source).begin(client);
      const done: [Statement, readonly unknown[], number][] = [];
      const result = await work({
        run: async <R extends QueryResultRow>(statement: Statement, values: readonly unknown[] = []) => {
          const rows = await query<R>(client, statement, values);
          done.push([statement, values, rows.length]);
          return rows;
        },
        entities: runner.manager,
      });
      await runner.commitTransaction();
      for (const one of done) this.recentEndings.note(...one);
      client.release();
      return result;
    } catch (error) {
      await abandon(client, error);
      throw asUnavailable(error);
    }
  }

  /** For metrics: the connections of each pool, and the requests that wait for a connection. */
  pools(): Record<'main' | 'hot', { total: number; idle: number; waiting: number }> {
    return { main: numbers(this.main), hot: numbers(this.hot) };
  }
}

/** A host that refuses a connection refuses within this time: milliseconds. */
const QUICK_MS = 100;

async function onceMore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isPassing(error)) throw error;
    return work();
  }
}

async function query<R extends QueryResultRow>(
  on: Pool | PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  try {
    const result = await on.query<R>({ name: statement.name, text: statement.text, values: [...values] });
    return result.rows;
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** Undefined without a pooler. */
function mannerOf(client: PoolClient): HotManner | undefined {
  const pooled = client instanceof PinnedClient ? client.pooled : undefined;
  return pooled && { names: pooled.names, preamble: pooled.preamble };
}

/** If a pooler turns out not to keep statement names, the program stops using names with that pooler. */
function noted(client: unknown, error: unknown): unknown {
  if (client instanceof PinnedClient && isLostName(error)) client.way.names = false;
  return error;
}

/** @param places the number of hosts: after a failed connection, the next attempt goes to the next host */
async function acquire(pool: Pool, places: number): Promise<PoolClient> {
  for (let left = Math.max(1, places); ;) {
    const began = performance.now();
    try {
      return await pool.connect();
    } catch (error) {
      // a caller that has waited once does not wait again
      if ((left -= 1) > 0 && performance.now() - began < QUICK_MS) continue;
      // also if the database refuses one of our settings: nothing is known about the request
      const fault = asUnavailable(error);
      throw fault instanceof Unavailable ? fault : new Unavailable('no usable connection', { cause: error });
    }
  }
}

/**
 * A connection whose ROLLBACK fails is in an unknown state: it is closed and not reused. So is a connection that did
 * not answer: it would not answer the ROLLBACK either, and the caller has waited long enough.
 */
async function abandon(client: PoolClient, error: unknown): Promise<void> {
  const cause = error instanceof Unavailable ? error.cause : error;
  if (asUnavailable(cause) instanceof Unavailable && sqlState(cause) === undefined)
    return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}

function required<T>(part: T | undefined): T {
  if (part === undefined) throw new Unavailable('the database is not connected yet');
  return part;
}

function numbers(pool: Pool | undefined) {
  return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 };
}
