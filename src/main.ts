import { closeSync, openSync } from 'node:fs';
import { banner } from './server/banner.js';
import { tuneCollector } from './server/collector.js';
import { checkSettings, ConfigError, loadConfig, type Config } from './config/config.js';
import { refuseTakenPorts } from './server/free-ports.js';
import { programLog } from './server/program-log.js';
import { startOwnDatabase } from './server/own-database.js';
import type { OfferedAdministrator, Service } from './server/service.js';
import { startFacts } from './server/start-log.js';
import { explained } from './server/explained.js';

// nobody may read what it says any more, as after `npm start | head -1`: it serves on
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Starts HTTP and shuts down cleanly: what concerns the process and nothing else. */
async function main(): Promise<void> {
  // before the program is loaded, which leaves the most behind
  tuneCollector();
  await refuseBeforeAnythingIsMade();
  const config = loadConfig();
  const stopped = stopSignal();
  const service = await start(config);
  renewOnHangup(service);
  const logger = programLog(config);
  if (config.embedded)
    process.stdout.write(banner(config, service.port, await administrator(config, service)));
  else logger.info(startFacts(config, service.port), 'started');
  const failed = service.failed.then((error) => ({ error }));
  const end = await Promise.race([stopped, failed]);
  const delayed = end === 'SIGTERM' ? config.SHUTDOWN_DELAY * 1_000 : 0;
  await service.stop(delayed);
  if (!config.embedded) logger.info({ why: typeof end === 'object' ? end.error.message : end }, 'stopped');
  if (typeof end === 'object') throw end.error;
}

/** The configuration makes the secret key of an embedded database: what can be seen without it is seen first. */
async function refuseBeforeAnythingIsMade(): Promise<void> {
  const { settings, problems } = checkSettings();
  if (problems.length === 0 && settings.DATABASE_URL === undefined) await refuseTakenPorts(settings);
}

/** A log file keeps what it is given, and so do containers: a password is shown on a terminal only. */
async function administrator(config: Config, service: Service): Promise<OfferedAdministrator | undefined> {
  if (!config.DEMO) return undefined;
  return service.offerAdministrator?.(process.stdout.isTTY).catch(() => undefined);
}

/** Whoever only looks after workers does not load what they work with. */
async function start(config: Config): Promise<Service> {
  if (config.WORKERS > 1) return (await import('./server/workers/primary.js')).startWorkers(config);
  // PostgreSQL comes up while the program is loaded, which takes longer
  const database = startOwnDatabase(config, programLog(config));
  // whoever waits for it hears of it
  database.catch(() => undefined);
  return (await import('./server/server.js')).startServer(config, database);
}

/** The first signal counts. Through npm a Ctrl-C arrives twice, so later ones change nothing. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
    if (hasTerminal()) process.on('SIGHUP', () => hasTerminal() || resolve('SIGHUP'));
  });
}

/** When its terminal is closed, a process hears of it by the signal that else means that the certificate was renewed. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** SIGHUP: the certificate was renewed. A bad one is told of, and the one in use stays. */
function renewOnHangup(service: Service): void {
  process.on('SIGHUP', () => {
    try {
      service.reloadCertificate();
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof ConfigError ? error.message : explained(error)}\n`);
    process.exit(1);
  },
);
