import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule, type AppOptions } from '../app.module.js';
import { resourceMetadataUrl } from '../auth/discovery/well-known.js';
import { misspelledAudiences } from '../auth/clients/audience-flaws.js';
import { ClientsService } from '../auth/clients/clients.service.js';
import { DemoUser } from '../auth/users/demo-user.js';
import { FirstAdministrator } from '../auth/users/first-administrator.js';
import type { Config } from '../config/config.js';
import { describeProxies } from '../config/trusted-proxies.js';
import { documentOptions } from './document-options.js';
import { DatabaseSession } from '../database/database-session.js';
import type { EmbeddedPostgres } from '../database/embedded/embedded-postgres.js';
import { connectionOf } from '../database/pools.js';
import { drain as drainApp, DrainState } from '../http/drain.js';
import { createHttpApp } from '../http/http-app.js';
import { openApiDocument, serveDocuments } from '../http/openapi/openapi.js';
import { listenOrRefuse } from './listen-refusal.js';
import { programLog } from './program-log.js';
import { certificate, renewCertificate } from './certificate.js';
import { MetricsText } from '../ops/metrics-text.js';
import { createOpsApp, type OpsSources } from '../ops/ops-listener.js';
import { Readiness } from '../ops/readiness.js';
import {
  DATABASE_ENDED,
  OPS_STOP_LIMIT_MS,
  stopLimit,
  type OfferedAdministrator,
  type Service,
} from './service.js';
import { VERSION } from '../version.js';

/** The most warnings about audiences at a start, so that people still read them. */
const FLAWS_TOLD = 5;
const CLIENTS_AT_ONCE = 1_000;

/** The embedded database. If another process owns the database, `stop` does nothing. */
export type Embedded = Pick<EmbeddedPostgres, 'address' | 'stop'> & Partial<Pick<EmbeddedPostgres, 'exited'>>;

export interface Server extends Service {
  readonly app: NestFastifyApplication;
}

/** What the primary process gives this process, if this is one of several workers. Then the primary serves OPS_PORT. */
export interface Membership {
  /** The number of the worker in the log. */
  readonly worker: number;
  readonly metrics: MetricsText;
  /** Whether this worker makes the demo user. */
  readonly seeds: boolean;
}

/**
 * Starts everything: the schema, the pools, HTTP. If an external database is away or is being migrated, the server
 * still listens, reports that it is not ready, and keeps trying.
 * @throws StartRefusal if the settings or the database are unusable
 */
export async function startServer(
  config: Config,
  database: Promise<Embedded | undefined>,
  member?: Membership,
): Promise<Server> {
  const logger = programLog(config, member ? { worker: member.worker } : null);
  if (config.TRUST_PROXY && member?.seeds !== false) logger.info(describeProxies(config.TRUST_PROXY));
  const drainState = new DrainState();
  const [embedded, app] = await both(
    database,
    createApp({ config, drain: drainState, version: VERSION, metrics: member?.metrics }, logger),
  );
  let ops: NestFastifyApplication | undefined;
  try {
    if (config.OPS_PORT !== undefined && !member) {
      ops = await createOpsApp(sourcesOf(app), config, logger);
      const options = documentOptions(config);
      serveDocuments(ops, options, () => openApiDocument(app, options));
    }
    const session = app.get(DatabaseSession);
    const { connected, failed: unusable } = await connect(session, config, embedded, logger);
    if (member?.seeds !== false)
      void connected.then(() => warnOfAudiences(app, config, logger)).catch(() => undefined);
    const ended = embedded?.exited?.then(() => new Error(DATABASE_ENDED));
    if (config.DEMO && member?.seeds !== false) await app.get(DemoUser).seed();
    if (ops) await listenOrRefuse(ops, config, 'OPS_PORT');
    const port = await listenOrRefuse(app, config, 'PORT');
    return {
      app,
      port,
      failed: Promise.race([unusable, ended].filter((one) => one !== undefined)),
      offerAdministrator: (mayBeShown) => offered(app.get(FirstAdministrator), mayBeShown),
      reloadCertificate: () => renewCertificate(app, config),
      stop: async (delayMs) => {
        await drainApp(app, { delayMs, limitMs: stopLimit(delayMs) });
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

/** The whole HTTP application, as configured; not yet connected and not yet listening. */
export async function createApp(
  options: AppOptions & Required<Pick<AppOptions, 'drain'>>,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const { config, drain } = options;
  const tracing = config.OTEL_EXPORTER_OTLP_ENDPOINT && (await import('../tracing/opentelemetry.js'));
  const app = await createHttpApp(AppModule.of(options), {
    realm: config.REALM,
    resourceMetadata: resourceMetadataUrl(config.AUDIENCE),
    trustProxy: config.TRUST_PROXY,
    tls: certificate(config),
    https: config.ISSUER.startsWith('https:'),
    hstsSubdomains: config.HSTS_SUBDOMAINS,
    corsOrigins: config.CORS_ORIGINS,
    keepAlive: config.KEEP_ALIVE,
    logger,
    firstHooks: tracing ? (instance) => tracing.startTracing(instance, VERSION, logger) : undefined,
    drain,
  });
  if (config.OPS_PORT === undefined) serveDocuments(app, documentOptions(config));
  return app;
}

function sourcesOf(app: NestFastifyApplication): OpsSources {
  const get = <T>(token: abstract new (...args: never[]) => T): T => app.get<T>(token, { strict: false });
  return { readiness: get(Readiness), metrics: get(MetricsText), drain: get(DrainState) };
}

/**
 * Connects the database. Does not wait for an external database that is away, or whose schema is being migrated, which
 * may take minutes: meanwhile people must see that the server is alive and not ready.
 * @returns `connected`, and for an external database `failed`, which resolves with the error if the database is
 * unusable
 */
async function connect(
  session: DatabaseSession,
  config: Config,
  embedded: Embedded | undefined,
  logger: Logger,
): Promise<{ connected: Promise<void>; failed?: Promise<Error> }> {
  const connection = embedded?.address ?? connectionOf(config.DATABASE_URL ?? '', config.DATABASE_SCHEMA);
  if (embedded) {
    await session.connect(connection);
    return { connected: Promise.resolve() };
  }
  const takesTime = deferred<'away' | 'migrating'>();
  const connected = session.connectPatiently(
    connection,
    (error) => {
      logger.warn(`the database is away, trying again: ${error.message}`);
      takesTime.resolve('away');
    },
    onChange((progress) => {
      logger.info(progress);
      takesTime.resolve('migrating');
    }),
  );
  await Promise.race([connected, takesTime.promise]);
  return {
    connected,
    failed: new Promise((resolve) => {
      connected.catch(resolve);
    }),
  };
}

async function offered(
  first: FirstAdministrator,
  mayBeShown: boolean,
): Promise<OfferedAdministrator | undefined> {
  if (!(await first.isMissing())) return undefined;
  return (mayBeShown && (await first.make())) || 'missing';
}

/**
 * Warns of misspelled audiences. An API with such an audience is refused with every good token, and is not told why.
 */
async function warnOfAudiences(app: NestFastifyApplication, config: Config, logger: Logger): Promise<void> {
  let left = FLAWS_TOLD;
  for await (const page of app.get(ClientsService, { strict: false }).pages(CLIENTS_AT_ONCE)) {
    const enabled = page.filter(({ disabled }) => !disabled);
    const flaws = misspelledAudiences(enabled, config.AUDIENCE).slice(0, left);
    for (const flaw of flaws) logger.warn(flaw);
    left -= flaws.length;
    if (left === 0) return;
  }
}

/** Reports each step of a progress once. */
function onChange(tell: (progress: string) => void): (progress: string) => void {
  let last = '';
  return (progress) => {
    const what = progress.replace(/ \(\d+%\)$/, '');
    if (what !== last) tell(progress);
    last = what;
  };
}

/** Runs both at once. If one fails, waits for the other and stops it, so that nothing is left running. */
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
