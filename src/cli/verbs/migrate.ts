import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';
import { showingProgress } from '../progress.js';

/** Brings the schema up to date for this program. */
export function migrate(program: Command, act: Act): void {
  program
    .command('migrate')
    .description(
      'brings the schema up to date and makes partitions ahead of need; safe beside running servers',
    )
    .addHelpText(...examples('keks migrate'))
    .action(act(run));
}

async function run(): Promise<Answer> {
  const [{ openServices }, { Maintenance }, { withDatabase }, { migrate }, { loadConfig }] =
    await Promise.all([
      import('../services.js'),
      import('../../database/schema/maintenance.js'),
      import('../with-database.js'),
      import('../../database/schema/migrator.js'),
      import('../../config/config.js'),
    ]);
  const config = loadConfig();
  const done = await showingProgress((tell) =>
    withDatabase(
      config,
      async (lease) => {
        const migrations = await migrate(lease.connection, tell);
        return { ...(await openServices(config, lease)), migrations, connection: lease.connection };
      },
      async ({ migrations, connection, get }) => {
        tell('making partitions');
        await get(Maintenance).prepare(connection);
        return migrations;
      },
    ),
  );
  return {
    json: { migrations: done },
    text: done.length > 0 ? `Migrated: ${done.join(', ')}.` : 'The schema is up to date.',
  };
}
