import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { networkOf } from './network.js';

const MINUTE_MS = 60_000;
/** Kinds and networks that have lines of their own; a flood from more networks is summed up in one line for each kind. */
const MOST = 100;
/** The code is where every error has it, whoever answered: the guard, a filter, a route. All of it is our own words. */
const CODE = /^\{"error":"([a-z_]{1,40})"/;
const OTHERS = 'others';

interface Kind {
  readonly error: string;
  readonly status: number;
  readonly network: string;
}

interface Told extends Kind {
  /** Of the last one. */
  route: string | undefined;
  requestId: string;
  count: number;
  /** Nothing of it has been said yet, and it is to be said at once. */
  first: boolean;
  /** Its first line is of the present minute, so that the next one comes at the end of the next. */
  fresh: boolean;
}

/** Who somebody is, what he may do, and that he has tried too often (ASVS 16.3.2, 16.3.3). */
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
 * Who was refused, at `info`: the first of a kind and a network at once, and then a line a minute, with their number. Nothing of
 * it is the caller's text: what people mistype are secrets.
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

  /** All that is still unsaid. */
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
