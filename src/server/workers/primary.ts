/**
 * Owns the worker processes that share one port, and their embedded database: starts, replaces and stops them. The
 * primary itself answers only requests to OPS_PORT.
 */
import type { OpenAPIObject } from '@nestjs/swagger';
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import type { EmbeddedPostgres } from '../../database/embedded/embedded-postgres.js';
import { DrainState } from '../../http/drain.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { programLog } from '../program-log.js';
import { startOwnDatabase } from '../own-database.js';
import { certificate } from '../certificate.js';
import { DATABASE_ENDED, stopLimit, type Service } from '../service.js';
import { CollectedMetrics } from './collected-metrics.js';
import { WorkerPool } from './worker-pool.js';
import { WorkersReadiness } from './workers-readiness.js';
import type { openOps } from './ops-port.js';

/** When its time is over, a worker cuts the remaining connections. The primary waits this much longer: milliseconds. */
const STOP_GRACE_MS = 2_000;
/** What the workers need before they start. */
interface Ground {
  readonly embedded?: EmbeddedPostgres | undefined;
  readonly closeOps: () => Promise<unknown>;
}

/** Starts `WORKERS` processes, which this process looks after. @throws StartRefusal as a single process would */
export async function startWorkers(config: Config): Promise<Service> {
  const logger = programLog(config);
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker-main.js', import.meta.url)), args: [] });
  const drain = new DrainState();
  const metrics = new CollectedMetrics(() => pool.members);
  const ready = new WorkersReadiness(() => pool.members, drain, config.DATABASE_TIMEOUT);
  let shown: OpenAPIObject | undefined;
  const document = (): OpenAPIObject => {
    if (shown === undefined) throw new Unavailable('no worker has told yet');
    return shown;
  };
  const laid = layGround(config, logger, { metrics, drain, readiness: ready, document });
  const pool: WorkerPool = new WorkerPool({
    size: config.WORKERS,
    orders: laid.then(({ embedded }) => embedded && { address: embedded.address, server: embedded.server }),
    metrics: () => metrics.text(),
    logger,
    onEnd: (member) => metrics.remember(member),
  });
  const stop = async (delayMs: number, limitMs: number): Promise<void> => {
    drain.draining = true;
    await pool.stop(delayMs, limitMs);
    const ground = await laid.catch(() => undefined);
    await ground?.closeOps();
    await ground?.embedded?.stop();
  };
  try {
    const { embedded } = await laid;
    const port = await Promise.race([pool.complete, rejection(pool.failed)]);
    if (config.OPS_PORT !== undefined) shown = await pool.document();
    let stopped: Promise<void> | undefined;
    const ended = embedded?.exited.then(() => new Error(DATABASE_ENDED));
    return {
      port,
      failed: Promise.race([pool.failed, ended].filter((one) => one !== undefined)),
      reloadCertificate: () => {
        // checked here first, so that a bad certificate is reported once
        if (certificate(config)) pool.renewCertificate();
      },
      stop: (delayMs) => (stopped ??= stop(delayMs, stopLimit(delayMs) + STOP_GRACE_MS)),
    };
  } catch (error) {
    await stop(0, STOP_GRACE_MS);
    throw error;
  }
}

/** Starts the database and OPS_PORT while the workers load their program. */
async function layGround(
  config: Config,
  logger: Logger,
  sources: Parameters<typeof openOps>[2],
): Promise<Ground> {
  const embedded = await startOwnDatabase(config, logger);
  if (config.OPS_PORT === undefined) return { embedded, closeOps: async () => undefined };
  try {
    const ops = await import('./ops-port.js');
    return { embedded, closeOps: await ops.openOps(config, logger, sources) };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

function rejection(reason: Promise<Error>): Promise<never> {
  return reason.then((error) => {
    throw error;
  });
}
