import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  ServerResponse,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether the application is shutting down. The readiness route reads it. */
export class DrainState {
  draining = false;
}

export interface DrainOptions {
  /** How long the server still takes requests, so that a balancer notices the stop: milliseconds. */
  readonly delayMs: number;
  /** The limit for the whole stop, including the delay: milliseconds. */
  readonly limitMs: number;
}

interface Draining {
  readonly state: DrainState;
  readonly sockets: Set<Socket>;
  /** Whether the port is closed or about to close. */
  closing: boolean;
  finished?: Promise<boolean>;
}

const applications = new WeakMap<NestFastifyApplication, Draining>();

/** How long closing may take after all connections were cut: milliseconds. */
const GRACE_MS = 1_000;

export function prepareDrain(app: NestFastifyApplication, state: DrainState): void {
  const sockets = new Set<Socket>();
  const draining: Draining = { state, sockets, closing: false };
  const remember = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // its handshake was running when the idle connections were closed, and its last bytes may hold a request
    if (draining.closing) setImmediate(() => closeIfSilent(socket));
  };
  app.getHttpServer().on('connection', remember).on('secureConnection', remember);
  applications.set(app, draining);
}

/** Whether `drain` was called for this application. */
export function isDraining(app: NestFastifyApplication): boolean {
  return applications.get(app)?.state.draining === true;
}

/**
 * Stops serving without losing a request. At once every answer has `Connection: close`. After the delay the port
 * closes. Then the requests in flight finish, and the application closes. Later calls wait for the first one.
 *
 * @param app from `createHttpApp`
 * @returns false if the limit came first and connections were cut
 */
export async function drain(app: NestFastifyApplication, options: DrainOptions): Promise<boolean> {
  const draining = applications.get(app);
  if (draining === undefined) throw new TypeError('This application was not made by createHttpApp.');
  draining.state.draining = true;
  draining.finished ??= stop(app, draining, options);
  return draining.finished;
}

async function stop(
  app: NestFastifyApplication,
  draining: Draining,
  { delayMs, limitMs }: DrainOptions,
): Promise<boolean> {
  const over = new AbortController();
  const wait = (ms: number): Promise<false> =>
    sleep(ms, false as const, { signal: over.signal }).catch(() => false);
  const limit = wait(limitMs);
  try {
    await Promise.race([wait(delayMs), limit]);
    const closed = close(app, draining);
    if (await Promise.race([closed, limit])) return true;
    app.getHttpServer().closeAllConnections();
    await Promise.race([closed, wait(GRACE_MS)]);
    return false;
  } finally {
    over.abort();
  }
}

async function close(app: NestFastifyApplication, draining: Draining): Promise<true> {
  // Close the port first: Nest would run the destroy hooks of the modules while requests still need the modules.
  const closing = app.getHttpAdapter().getInstance().close();
  draining.closing = true;
  for (const socket of draining.sockets) closeIfSilent(socket);
  await closing;
  await app.close();
  return true;
}

/**
 * Closes a connection that has sent nothing. Browsers open connections ahead of need, and Node counts them as busy
 * until their headers time out. Over TLS `bytesRead` counts the bytes inside.
 */
function closeIfSilent(socket: Socket): void {
  if (socket.bytesRead === 0) socket.destroy();
}

/** The class of answers that close their connection once draining has begun, even if the request came in before. */
export function responseClass(state: DrainState): typeof ServerResponse {
  return class<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
    override writeHead(
      statusCode: number,
      reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
      headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
    ): this {
      if (state.draining) this.setHeader('connection', 'close');
      return typeof reason === 'string'
        ? super.writeHead(statusCode, reason, headers)
        : super.writeHead(statusCode, reason ?? headers);
    }
  };
}
