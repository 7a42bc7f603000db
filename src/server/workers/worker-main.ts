/** One of the processes that share a port. Does what the primary says, and ends when the primary has gone. */
import cluster from 'node:cluster';
import { tuneCollector } from '../collector.js';
import { loadConfig } from '../../config/config.js';
import { documentOptions } from '../document-options.js';
import { endOrphan } from '../../database/embedded/orphaned-server.js';
import { openApiDocument } from '../../http/openapi/openapi.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { Metrics } from '../../ops/metrics.js';
import { Readiness } from '../../ops/readiness.js';
import { startServer, type Server } from '../server.js';
import { explained } from '../explained.js';
import type { Orders, PrimaryDuties, WorkerDuties } from './duties.js';
import { Rpc } from './rpc.js';

/** How long to wait for the metrics: milliseconds. Prometheus asks again. */
const METRICS_PATIENCE_MS = 2_000;

tuneCollector();

const number = cluster.worker?.id ?? 0;
let orders: Orders | undefined;
let server: Promise<Server> | undefined;
let stopping: Promise<void> | undefined;

const duties: WorkerDuties = {
  async start(given) {
    orders = given;
    const database = given.address && { address: given.address, stop: async () => undefined };
    server = startServer(loadConfig(), Promise.resolve(database), {
      worker: number,
      seeds: given.seeds,
      metrics: { text: askForMetrics },
    });
    const { failed, port } = await server;
    void failed.then((error) => primary.ask('fail', explained(error)));
    return port;
  },
  stop(delayMs) {
    void end(delayMs).then(() => process.exit(0));
  },
  async renewCertificate() {
    (await started()).reloadCertificate();
  },
  async checkReadiness() {
    await (await started()).app.get(Readiness, { strict: false }).check();
  },
  async document() {
    const { app } = await started();
    return openApiDocument(app, documentOptions(loadConfig()));
  },
  async metrics() {
    return (await started()).app.get(Metrics, { strict: false }).snapshot();
  },
};

const primary: Rpc<PrimaryDuties> = new Rpc<PrimaryDuties>(process, duties, explained);

function started(): Promise<Server> {
  return server ?? Promise.reject(new Error('not started'));
}

async function askForMetrics(): Promise<string> {
  try {
    return await primary.ask('metrics', null, METRICS_PATIENCE_MS);
  } catch {
    throw new Unavailable('the other workers could not be asked');
  }
}

/** Stops the server. If the start was refused, there is nothing to stop. */
function end(delayMs: number): Promise<void> {
  stopping ??= Promise.resolve(server)
    .then((started) => started?.stop(delayMs))
    .catch(() => undefined);
  return stopping;
}

// A terminal and some supervisors signal the workers as well, but the primary decides.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

void primary.ask('present', null).catch(() => undefined);

cluster.worker?.on('disconnect', () => {
  // otherwise Node would end the process at once, together with the requests in flight
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
  primary.close();
  void end(0)
    .then(() => orders?.server && endOrphan(orders.server))
    .finally(() => process.exit(0));
});
