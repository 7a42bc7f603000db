/** Owns the rules for every route: framing, errors, order of checks, stopping. Never owns what a route does. */
import { Module, type DynamicModule, type LoggerService, type Type } from '@nestjs/common';
import { APP_FILTER, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { TrustedProxies } from '../config/trusted-proxies.js';
import { installBodyParser } from './body/body-parser.js';
import { BODY_LIMIT } from './body/body-reader.js';
import { SchemaPipe } from './body/schema-pipe.js';
import { installClientAddress } from './client-address.js';
import { challengesOf } from './errors/challenge.js';
import { answerClientError } from './errors/client-error.js';
import { installCors } from './cors.js';
import { DrainState, prepareDrain, responseClass } from './drain.js';
import { installAccessLog, nestLogger } from './logging.js';
import { installRefusalLog } from './refusal-log.js';
import { newRequestId } from './request-id.js';
import { installGate } from './request-gate.js';
import { TLS_SUITES } from './tls-suites.js';
import { securityHeaders } from './security-headers.js';
import { WireErrorFilter } from './errors/wire-error.filter.js';

export interface HttpOptions {
  /** Named in every challenge: printable ASCII. */
  readonly realm: string;
  /** Absolute URL of the RFC 9728 document, if there is one. */
  readonly resourceMetadata?: string | undefined;
  /** The proxies whose `X-Forwarded-For` is trusted. */
  readonly trustProxy?: TrustedProxies | undefined;
  /** The certificate and its key in PEM. Without them the server speaks plain HTTP. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** True if clients come by HTTPS, also if a proxy ends it. Default: true if there is `tls`. */
  readonly https?: boolean | undefined;
  /** Whether `https` also holds for all hosts below this one. */
  readonly hstsSubdomains?: boolean | undefined;
  /** Origins whose pages may call (`https://app.example`). */
  readonly corsOrigins?: readonly string[] | undefined;
  /** How long a connection may be idle between two requests: seconds. */
  readonly keepAlive?: number | undefined;
  readonly logger: Logger | false;
  /** Adds hooks that run before all others. */
  readonly firstHooks?: ((instance: FastifyInstance) => void) | undefined;
  /** The logger for Nest's own messages. Without it they go to `logger`, most of them at debug. */
  readonly nestLogger?: LoggerService | false | undefined;
  /** The state that the readiness route reads. Give both the same object. */
  readonly drain?: DrainState | undefined;
}

/**
 * Milliseconds within which a whole request must arrive (slowloris). Node counts from its first byte, so idle time does
 * not count.
 */
const REQUEST_TIMEOUT = 10_000;
/** Seconds: longer than the 60 of a balancer. */
const KEEP_ALIVE = 65;

/** Wraps the module: its filters come later in Nest's list than ours, and Nest asks them first. */
@Module({})
class HttpRoot {}

/** An application that is not yet listening. Routes may still be added to it until `listen`. */
export async function createHttpApp(
  module: Type | DynamicModule,
  options: HttpOptions,
): Promise<NestFastifyApplication> {
  const logger = options.logger === false ? undefined : options.logger;
  const drain = options.drain ?? new DrainState();
  const challenges = challengesOf(options.realm, options.resourceMetadata);
  const filter = new WireErrorFilter(challenges, logger);
  const headers = securityHeaders(options.https ?? options.tls !== undefined, options.hstsSubdomains);
  const adapter = new FastifyAdapter(serverOptions(options, drain, filter, headers));
  const instance = adapter.getInstance<FastifyInstance>();
  // Node drops header lines beyond the 2,000th, where a second Authorization could hide. The limit of 16 KiB is enough.
  instance.server.maxHeadersCount = 0;
  options.firstHooks?.(instance);
  installClientAddress(instance, options.trustProxy ?? []);
  // Hooks run in this order. The gate may end a request, so CORS must add its headers first.
  await installCors(instance, options.corsOrigins ?? []);
  installGate(instance, headers, challenges);
  installBodyParser(instance);
  if (logger !== undefined) {
    installAccessLog(instance, logger);
    installRefusalLog(instance, logger);
  }
  const app = await NestFactory.create<NestFastifyApplication>(rootOf(module, filter), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: options.nestLogger ?? (logger === undefined ? false : nestLogger(logger)),
  });
  prepareDrain(app, drain);
  return app;
}

/** @returns the port; the system chooses one if `port` is 0 */
export async function listen(app: NestFastifyApplication, port: number, host: string): Promise<number> {
  // For this name Fastify opens a second server on ::1, which has neither our limits nor our error answers.
  await app.listen(port, host === 'localhost' ? '127.0.0.1' : host);
  return (app.getHttpServer().address() as AddressInfo).port;
}

function rootOf(module: Type | DynamicModule, filter: WireErrorFilter): DynamicModule {
  return {
    module: HttpRoot,
    imports: [module],
    providers: [
      { provide: APP_FILTER, useValue: filter },
      { provide: APP_PIPE, useValue: new SchemaPipe() },
    ],
  };
}

type AdapterOptions = ConstructorParameters<typeof FastifyAdapter>[0];

function serverOptions(
  options: HttpOptions,
  drain: DrainState,
  filter: WireErrorFilter,
  headers: Readonly<Record<string, string>>,
): AdapterOptions {
  const server = {
    ServerResponse: responseClass(drain),
    headersTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: 1_000,
  };
  return {
    ...(options.tls === undefined
      ? { http: server }
      : {
          https: {
            ...server,
            ...options.tls,
            handshakeTimeout: REQUEST_TIMEOUT,
            ...TLS_SUITES,
          },
        }),
    logger: false, // Fastify's logger makes a child for every request, and our log lines need none
    genReqId: newRequestId,
    // a client's id may be a URL (CLIENT_METADATA_DOCUMENTS), with each slash encoded in three characters
    routerOptions: { maxParamLength: 768 },
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: (options.keepAlive ?? KEEP_ALIVE) * 1_000,
    return503OnClosing: false, // connections that were open before the port closed are still served
    // for requests that Fastify refuses before any hook runs
    frameworkErrors: (error, request, reply) =>
      filter.answer(error, request as FastifyRequest, (reply as FastifyReply).headers({ ...headers })),
    clientErrorHandler: answerClientError,
    skipMiddie: true, // guards on routes authenticate, never path-scoped middleware
  };
}
