import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.js';
import { examples, type Act } from './noun.js';
import { Refusal } from './refusal.js';

const LOOKS = 4;
const PAUSE_MS = 150;

/** Where the database is, for psql and backups. */
export function databaseUrl(program: Command, act: Act): void {
  program
    .command('database-url')
    .description('where the database is, e.g. psql "$(keks database-url)"')
    .addHelpText(...examples('psql "$(keks database-url)"'))
    .action(act(run));
}

/** An operator who may run this can read the password of a DATABASE_URL anyway, and needs it here. */
async function run(): Promise<Answer> {
  const { checkSettings, ConfigError } = await import('../config/config.js');
  const checked = checkSettings();
  const { DATABASE_URL, DATA_DIR } = checked.settings;
  // one that cannot be used still says that the database is elsewhere: a backup of this one would be of the wrong one
  if (DATABASE_URL === undefined && !checked.embedded) throw new ConfigError(checked.problems);
  const url = DATABASE_URL ?? (await embeddedUrl(DATA_DIR));
  return { json: { database_url: url }, text: url };
}

async function embeddedUrl(dataDir: string): Promise<string> {
  const { connectionUrl, EmbeddedRefusal, findRunning } =
    await import('../database/embedded/embedded-postgres.js');
  try {
    for (let look = 1; look <= LOOKS; look += 1) {
      if (look > 1) await sleep(PAUSE_MS);
      const running = await findRunning(dataDir);
      if (running) return connectionUrl(running);
    }
  } catch (error) {
    throw error instanceof EmbeddedRefusal ? new Refusal('temporarily_unavailable', error.message) : error;
  }
  throw new Refusal(
    'not_found',
    'No embedded database is running here: start Keks with "npm start", or set DATA_DIR to that of the Keks you mean.',
  );
}
