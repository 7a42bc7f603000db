import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { table, type Answer } from '../answer.js';
import { fail, ok, type Finding } from './doctor/finding.js';
import { examples, type Act } from '../noun.js';
import { judged } from '../style.js';

/** Checks everything that a server needs in order to start and to work, and changes nothing. */
export function doctor(program: Command, act: Act): void {
  program
    .command('doctor')
    .description('checks machine, configuration, database and keys; says how to mend what is wrong')
    .addHelpText(...examples('keks doctor', 'keks doctor --json'))
    .action(act(run));
}

async function run(): Promise<Answer> {
  const { checkSettings } = await import('../../config/config.js');
  const [machine, { checkNetwork }] = await Promise.all([
    import('./doctor/machine-checks.js'),
    import('./doctor/network-checks.js'),
  ]);
  const { settings, problems, embedded } = checkSettings();
  const usable = !problems.some((problem) => problem.startsWith('DATABASE_URL '));
  return answer([
    machine.checkNode(),
    ...machine.checkConfiguration(problems),
    ...machine.checkWorkers(settings.WORKERS),
    ...(embedded ? machine.checkDataDir(settings.DATA_DIR, Boolean(settings.SECRET_KEY)) : []),
    ...(embedded ? machine.checkSecretInEnvironment(settings.DATA_DIR, Boolean(settings.SECRET_KEY)) : []),
    ...checkNetwork({ ...settings }, Date.now()),
    ...(usable ? await look(settings, problems.length === 0) : []),
  ]);
}

type Settings = ReturnType<typeof import('../../config/config.js').checkSettings>['settings'];

/** If there is no database yet, doctor does not make one. */
async function look(settings: Settings, valid: boolean): Promise<Finding[]> {
  const { DATABASE_URL, DATABASE_SCHEMA, DATA_DIR } = settings;
  if (DATABASE_URL === undefined && !existsSync(join(DATA_DIR, 'postgres', 'PG_VERSION')))
    return [ok('database', 'there is none yet; the first start makes it')];
  const [{ loadConfig }, { withDatabase }, { checkAll }] = await Promise.all([
    import('../../config/config.js'),
    import('../with-database.js'),
    import('./doctor/all-checks.js'),
  ]);
  const hasKey = settings.SECRET_KEY !== undefined || existsSync(join(DATA_DIR, 'secret.key'));
  const keys = valid && hasKey ? loadConfig() : undefined;
  try {
    const found = await withDatabase(
      { DATABASE_URL, DATABASE_SCHEMA, DATA_DIR },
      async ({ client, connection }) => ({ client, connection, close: async () => undefined }),
      ({ client, connection }) => checkAll(client, settings, keys, connection),
    );
    return [ok('database', 'it answers'), ...found];
  } catch (error) {
    return [fail('database', 'it cannot be used', error instanceof Error ? error.message : String(error))];
  }
}

function answer(findings: readonly Finding[]): Answer {
  const failed = findings.some(({ status }) => status === 'fail');
  const rows = findings.map(({ check, status, message, mend }) => [
    judged(status),
    check,
    mend === undefined ? message : `${message} -> ${mend}`,
  ]);
  return {
    json: { ok: !failed, checks: findings },
    text: table(['STATUS', 'CHECK', 'FINDING'], rows),
    exitCode: failed ? 1 : 0,
  };
}
