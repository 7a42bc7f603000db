import {
  DataSource,
  QueryFailedError,
  type DataSourceOptions,
  type EntityMetadata,
  type EntityTarget,
  type ObjectLiteral,
  type QueryRunner,
} from 'typeorm';
import type { PoolClient } from 'pg';
import { Unavailable } from '../http/errors/unavailable.js';
import { asUnavailable } from './postgres-error.js';

/** Lends a connection of the main pool. */
export type Lender = () => Promise<PoolClient>;

/** The members of `pg` that TypeORM uses: a pool that TypeORM must not end. */
interface BorrowedPool {
  connect(
    done: (error: unknown, client?: PoolClient, release?: (error?: Error | boolean) => void) => void,
  ): void;
  on(): void;
  end(done: (error?: Error) => void): void;
}

/**
 * TypeORM for the repositories. It borrows each connection from the main pool, with that pool's time limits and
 * listeners. Infrastructure faults become `Unavailable`. TypeORM's own error contains the values of the statement, such
 * as password hashes, so that error never leaves this file.
 */
export class PooledDataSource extends DataSource {
  /**
   * Repositories know no tables until the database has been reached for the first time. That is unavailable, not a
   * fault of the program.
   */
  override getMetadata(target: EntityTarget<ObjectLiteral>): EntityMetadata {
    if (!this.hasMetadata(target)) throw new Unavailable('the database is not connected yet');
    return super.getMetadata(target);
  }

  override createQueryRunner(mode?: 'master' | 'slave'): QueryRunner {
    const runner = super.createQueryRunner(mode);
    const query: QueryRunner['query'] = runner.query.bind(runner);
    runner.query = async (...statement: Parameters<typeof query>) => {
      try {
        return await query(...statement);
      } catch (error) {
        throw asUnavailable(error instanceof QueryFailedError ? error.driverError : error);
      }
    };
    return runner;
  }

  /**
   * Begins a transaction on a connection that the caller has borrowed and will give back. If TypeORM owned the
   * connection, it would wait after a time-out for a ROLLBACK that is not answered either.
   */
  async begin(client: PoolClient): Promise<QueryRunner> {
    const runner = this.createQueryRunner();
    runner.connect = () => Promise.resolve(client);
    await runner.startTransaction();
    return runner;
  }
}

/** @param lend borrows a connection of the pool in use at that moment */
export function pooledOptions(lend: Lender): DataSourceOptions & { driver: unknown } {
  class Pool implements BorrowedPool {
    connect(done: Parameters<BorrowedPool['connect']>[0]): void {
      lend().then((client) => done(undefined, client, (error) => client.release(error)), done);
    }
    on(): void {}
    end(done: () => void): void {
      done();
    }
  }
  return {
    type: 'postgres',
    driver: { Pool },
    synchronize: false,
    logging: false,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
  };
}
