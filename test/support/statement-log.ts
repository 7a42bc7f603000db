import type { INestApplicationContext } from '@nestjs/common';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { EndingSweeper } from '../../src/auth/grants/ending-sweeper.js';
import { connectionOf } from '../../src/database/pools.js';
import type { TestDatabase } from './database.js';
import { takeAway } from './outage.js';

/** The statements that really reached PostgreSQL, as PostgreSQL itself wrote them down. */
export interface StatementLog {
  /** Names of the prepared statements that were executed since the last call, and texts of those without a name. */
  since(): Promise<string[]>;
}

/** What the program does by the clock, or once a connection, and not because of a request. */
const BACKGROUND =
  /^(?:database_time$|timeline$|claim_receiver$|list_receivers$|note_last_use$|(?:owners|grants)_ended_since$|SELECT pg_is_in_recovery\(\) AS standby)/;

/**
 * Lets PostgreSQL log each statement on this database. Only new connections do, so the program's are cut; the test's
 * own goes on in silence. Of a program in this process, nothing is swept any more.
 */
export async function logStatements(
  database: TestDatabase,
  app?: INestApplicationContext,
): Promise<StatementLog> {
  // its transactions are nameless, so they could not be told from others
  await app?.get(EndingSweeper, { strict: false }).beforeApplicationShutdown();
  const { rows } = await database.client.query<{ name: string }>('SELECT current_database() AS name');
  const name = rows[0]?.name ?? '';
  await database.client.query(`ALTER DATABASE ${name} SET log_statement = 'all'`);
  await (await takeAway(database)).end();
  const { host = '' } = connectionOf(inject('postgres'));
  const file = join(dirname(await realpath(host)), 'postgres.log');
  const line = new RegExp(` ${name} LOG: {2}(?:execute ([^:]+)|statement): *(.*)`, 'g');
  let read = (await readFile(file)).length;
  return {
    async since() {
      const bytes = await readFile(file);
      const text = bytes.subarray(read).toString();
      read = bytes.length;
      return [...text.matchAll(line)]
        .map(([, statement, sql = '']) => statement ?? sql)
        .filter((one) => !BACKGROUND.test(one));
    },
  };
}
