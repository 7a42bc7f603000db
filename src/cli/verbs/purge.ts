import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';
import { showingProgress } from '../progress.js';

/** Drops what has expired, now instead of within the hour. */
export function purge(program: Command, act: Act): void {
  program
    .command('purge')
    .description('drops what has expired, and makes partitions ahead of need; servers do so every hour')
    .addHelpText(...examples('keks purge'))
    .action(act(run));
}

async function run(): Promise<Answer> {
  const [{ withServices }, { Maintenance }] = await Promise.all([
    import('../services.js'),
    import('../../database/schema/maintenance.js'),
  ]);
  const { partitions, grants } = await showingProgress((tell) =>
    withServices((services) => services.get(Maintenance).run(tell)),
  );
  const dropped = partitions.length > 0 ? partitions.join(', ') : 'none';
  return { json: { partitions, grants }, text: `Partitions dropped: ${dropped}. Grants removed: ${grants}.` };
}
