import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pino, { type Logger } from 'pino';
import { AppModule, type AppOptions } from './app.module.js';
import { ACCOUNT_SCOPE } from './auth/scope.js';
import { DemoUser } from './auth/users/demo-user.js';
import type { Config } from './config.js';
import { DatabaseSession } from './database/database.session.js';
import { startEmbedded, type EmbeddedPostgres } from './database/embedded/embedded-postgres.js';
import { connectionOf } from './database/pools.js';
import { drain as drainApp, DrainState } from './http/drain.js';
import { createHttpApp, listen } from './http/http-app.js';
import { serveDocuments, type DocumentOptions } from './http/openapi.js';
import { certificate, renewCertificate } from './server.certificate.js';
import { createOpsApp } from './ops/ops.listener.js';
import { StartRefusal } from './start.refusal.js';
import { VERSION } from './version.js';

/** All of a stop, from the signal on: milliseconds. */
const STOP_LIMIT_MS = 25_000;
/** Who scrapes while the server stops is not waited for longer than this: milliseconds. */
const OPS_STOP_LIMIT_MS = 1_000;
const DATABASE_ENDED = 'The embedded database has ended: see postgres.log in DATA_DIR.';

export interface Server {
  readonly port: number;
  /** Resolves with the reason if the server can no longer do its work and should be stopped. */
  readonly failed: Promise<Error>;
  /** Reads the certificate again and uses it for new connections. @throws StartRefusal, and goes on with the old one */
  reloadCertificate(): void;
  /** @param delayMs how long requests are still taken, so that a balancer notices. Idempotent. */
  stop(delayMs: number): Promise<void>;
}

/**
 * Starts everything: the embedded database if there is one, the schema, HTTP. With an external database that is away it
 * listens all the same, not ready, and keeps trying.
 */
export async function startServer(config: Config): Promise<Server> {
  const logger = pino({ level: config.LOG_LEVEL, base: null });
  const drainState = new DrainState();
  const [embedded, app] = await both(
    startDatabase(config, logger),
    createApp({ config, drain: drainState, version: VERSION }, logger),
  );
  let ops: NestFastifyApplication | undefined;
  try {
    if (config.OPS_PORT !== undefined) {
      ops = await createOpsApp(app, config, logger);
      serveDocuments(app, { ...documentOptions(config), apart: true }, ops);
    }
    const session = app.get(DatabaseSession);
    const { failed: unusable } = await connect(session, config, embedded, logger);
    const ended = embedded?.exited.then(() => new Error(DATABASE_ENDED));
    if (config.DEMO) await app.get(DemoUser).seed();
    if (ops) await listenOrRefuse(ops, config, 'OPS_PORT');
    const port = await listenOrRefuse(app, config, 'PORT');
    return {
      port,
      failed: Promise.race([unusable, ended].filter((one) => one !== undefined)),
      reloadCertificate: () => renewCertificate(app, config),
      stop: async (delayMs) => {
        await drainApp(app, { delayMs, limitMs: STOP_LIMIT_MS });
        if (ops) await drainApp(ops, { delayMs: 0, limitMs: OPS_STOP_LIMIT_MS });
        await embedded?.stop();
      },
    };
  } catch (error) {
    await ops?.close().catch(() => undefined);
    await app.close().catch(() => undefined);
    await embedded?.stop();
    throw error;
  }
}

/** All that answers over HTTP, as configured; not yet connected and not yet listening. */
export async function createApp(
  options: AppOptions & Required<Pick<AppOptions, 'drain'>>,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const { config, drain } = options;
  const tracing = config.OTEL_EXPORTER_OTLP_ENDPOINT && (await import('./tracing/opentelemetry.js'));
  const app = await createHttpApp(AppModule.of(options), {
    realm: config.REALM,
    trustProxy: config.TRUST_PROXY,
    tls: certificate(config),
    https: config.ISSUER.startsWith('https:'),
    corsOrigins: config.CORS_ORIGINS,
    logger,
    firstHooks: tracing ? (instance) => tracing.startTracing(instance, VERSION, logger) : undefined,
    drain,
  });
  if (config.OPS_PORT === undefined) serveDocuments(app, documentOptions(config));
  return app;
}

function documentOptions({ ISSUER: issuer }: Config): DocumentOptions {
  return { issuer, version: VERSION, personalScope: ACCOUNT_SCOPE };
}

async function startDatabase(config: Config, logger: Logger): Promise<EmbeddedPostgres | undefined> {
  if (!config.embedded) return undefined;
  return startEmbedded({ dataDir: config.DATA_DIR, log: (line) => logger.info(line) });
}

/** @returns for an external database that is not there yet: what ends in an error if it turns out unusable */
async function connect(
  session: DatabaseSession,
  config: Config,
  embedded: EmbeddedPostgres | undefined,
  logger: Logger,
): Promise<{ failed?: Promise<Error> }> {
  // without `ssl: false` a PGSSLMODE in the environment would break the socket
  const connection = embedded ? { ...embedded.address, ssl: false } : connectionOf(config.DATABASE_URL ?? '');
  if (embedded) {
    await session.connect(connection);
    return {};
  }
  const firstFailure = deferred<'away'>();
  const connected = session.connectPatiently(connection, (error) => {
    logger.warn(`the database is away, trying again: ${error.message}`);
    firstFailure.resolve('away');
  });
  await Promise.race([connected, firstFailure.promise]);
  return {
    failed: new Promise((resolve) => {
      connected.catch(resolve);
    }),
  };
}

async function listenOrRefuse(
  app: NestFastifyApplication,
  config: Config,
  setting: 'PORT' | 'OPS_PORT',
): Promise<number> {
  const wanted = config[setting] ?? 0;
  try {
    return await listen(app, wanted, config.HOST);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const where = `${config.HOST}:${wanted}`;
    if (code === 'EADDRINUSE')
      throw new StartRefusal(`${where} is taken: stop what listens there, or choose another ${setting}.`);
    if (code === 'EACCES')
      throw new StartRefusal(
        `${where} needs more rights than this user has: choose a ${setting} above 1023.`,
      );
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartRefusal(`${config.HOST} is no address of this machine: correct HOST.`);
    throw error;
  }
}

/** Side by side; if one fails, the other is let finish first, so that nothing is left running unseen. */
async function both<A extends { stop(): Promise<void> } | undefined, B extends { close(): Promise<void> }>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  if (a.status === 'fulfilled') await a.value?.stop();
  if (b.status === 'fulfilled') await b.value.close();
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
