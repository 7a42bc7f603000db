import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { networkOf } from './network.js';

const MINUTE_MS = 60_000;
/**
 * The most pairs of error and network that have their own lines. Refusals from further networks are summed up in one
 * line for each error.
 */
const MOST = 100;
/** Finds the code at the start of every error, from the guard, a filter or a route. It is always text of ours. */
const CODE = /^\{"error":"([a-z_]{1,40})"/;
const OTHERS = 'others';

interface Kind {
  readonly error: string;
  readonly status: number;
  readonly network: string;
}

interface Told extends Kind {
  /** The route of the last refusal. */
  route: string | undefined;
  requestId: string;
  count: number;
  /** True until its first line, which is written at once. */
  first: boolean;
  /** True if its first line is from the present minute: its next line comes at the end of the next minute. */
  fresh: boolean;
}

/** Logs refused authentication (401), authorization (403) and too many attempts (429): ASVS 16.3.2, 16.3.3. */
export function installRefusalLog(instance: FastifyInstance, logger: Logger): void {
  if (!logger.isLevelEnabled('info')) return;
  const refusals = new RefusalLog(logger);
  instance.addHook('onSend', (request, { statusCode }, payload, done) => {
    if (statusCode === 401 || statusCode === 403 || statusCode === 429)
      refusals.note(request, statusCode, codeOf(payload));
    done(null, payload);
  });
  instance.addHook('onClose', (_instance, done) => {
    refusals.end();
    done();
  });
}

/**
 * Logs refusals at `info`: the first of an error and a network at once, then one line per minute with their number. It
 * logs no text of the caller, because people mistype secrets.
 */
export class RefusalLog {
  private readonly told = new Map<string, Told>();
  private minute: NodeJS.Timeout | undefined;

  constructor(private readonly logger: Logger) {}

  note(request: FastifyRequest, status: number, error: string): void {
    const one = this.find({ error, status, network: networkOf(request.clientAddress) });
    one.count += 1;
    one.route = request.routeOptions.url;
    one.requestId = request.id;
    if (one.first) this.write(one);
    one.first = false;
    this.minute ??= this.inAMinute();
  }

  /** Writes all that is not yet written. */
  end(): void {
    clearTimeout(this.minute);
    this.minute = undefined;
    for (const one of this.told.values()) this.write(one);
    this.told.clear();
  }

  private find(kind: Kind): Told {
    const known = this.told.get(keyOf(kind));
    if (known) return known;
    if (this.told.size < MOST || kind.network === OTHERS) return this.begin(kind);
    return this.find({ ...kind, network: OTHERS });
  }

  private begin(kind: Kind): Told {
    const first = kind.network !== OTHERS;
    const one: Told = { ...kind, route: undefined, requestId: '', count: 0, first, fresh: first };
    this.told.set(keyOf(kind), one);
    return one;
  }

  private inAMinute(): NodeJS.Timeout {
    return setTimeout(() => this.endMinute(), MINUTE_MS).unref();
  }

  private endMinute(): void {
    this.minute = undefined;
    for (const [key, one] of this.told) {
      if (one.fresh) one.fresh = false;
      else if (one.count > 0) this.write(one);
      else this.told.delete(key);
    }
    if (this.told.size > 0) this.minute = this.inAMinute();
  }

  private write(one: Told): void {
    if (one.count === 0) return;
    const { error, status, network, route, requestId, count } = one;
    this.logger.info({ error, status, network, count, route, requestId }, 'refused');
    one.count = 0;
  }
}

function keyOf({ error, network }: Kind): string {
  return `${error} ${network}`;
}

function codeOf(payload: unknown): string {
  return (typeof payload === 'string' && CODE.exec(payload)?.[1]) || 'other';
}
