import { banner } from './banner.js';
import { ConfigError, loadConfig } from './config.js';
import { EmbeddedRefusal } from './database/embedded/embedded-postgres.js';
import { DatabaseRefusal } from './database/migrator.js';
import { startServer, type Server } from './server.js';
import { StartRefusal } from './start.refusal.js';

/** Starts HTTP and shuts down cleanly: what concerns the process and nothing else. */
async function main(): Promise<void> {
  const config = loadConfig();
  const stopped = stopSignal();
  const server = await startServer(config);
  renewOnHangup(server);
  if (config.embedded) process.stdout.write(banner(config, server.port));
  const failed = server.failed.then((error) => ({ error }));
  const end = await Promise.race([stopped, failed]);
  const delayed = end === 'SIGTERM' ? config.SHUTDOWN_DELAY * 1_000 : 0;
  await server.stop(delayed);
  if (typeof end === 'object') throw end.error;
}

/** The first signal counts. Through npm a Ctrl-C arrives twice, so later ones change nothing. */
function stopSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

/** SIGHUP: the certificate was renewed. A bad one is told of, and the one in use stays. */
function renewOnHangup(server: Server): void {
  process.on('SIGHUP', () => {
    try {
      server.reloadCertificate();
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  });
}

const EXPECTED = [ConfigError, EmbeddedRefusal, DatabaseRefusal, StartRefusal];

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const expected = EXPECTED.some((kind) => error instanceof kind);
    process.stderr.write(
      `${expected ? (error as Error).message : String((error as Error)?.stack ?? error)}\n`,
    );
    process.exit(1);
  },
);
