import { trustedEndpoint, withinRange } from './endpoint.js';
import { readIntrospection } from './introspection.js';
import { IntrospectionClient } from './introspection-client.js';
import { QuestionQueue } from './question-queue.js';
import { TokenValidator, type Validation } from './token-validator.js';
import { VerdictCache } from './verdict-cache.js';

export interface RemoteValidatorOptions {
  /** Of the authority: `https://auth.example.com/oauth/introspect`. Plain `http` only for loopback. */
  readonly introspectionEndpoint: string | URL;
  /** This API is a client of the authority; it learns of tokens for its own audience, and of its own. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Milliseconds for a verdict, 1,000 if absent. After them: 503. */
  readonly timeoutMs?: number;
  /** So many questions at once, 32 if absent. The others wait for their turn, within `timeoutMs`. */
  readonly connections?: number;
  /**
   * Seconds, at most 300. **With it, a revoked token stays good here for up to that long.** 0 if absent: every request
   * asks, and a revoked token is dead with the answer to its revoke.
   */
  readonly cacheSeconds?: number;
  /** So many tokens are remembered, 10,000 if absent. */
  readonly cacheEntries?: number;
  /** Plain `http` to other machines too: tokens and the secret can then be read on the way. */
  readonly allowHttp?: boolean;
  /**
   * The `traceparent` of what runs now, for an API that traces (W3C Trace Context): with OpenTelemetry, what
   * `propagation.inject` writes. If absent, the one of the request that brought the token is passed on.
   */
  readonly traceparent?: () => string | undefined;
  /** Milliseconds since the epoch, `Date.now` if absent. Only the cache looks at it. */
  readonly now?: () => number;
}

const MOST_WAITING = 10_000;

/**
 * Asks the authority about every token (RFC 7662), so that a revoked one is dead here as soon as its revoke is answered.
 * It never decides itself: without an answer there is no verdict.
 */
export class RemoteValidator extends TokenValidator {
  private readonly client: IntrospectionClient;
  private readonly questions: QuestionQueue<Validation>;
  private readonly cache: VerdictCache | undefined;
  private readonly now: () => number;
  private readonly traceparent: (() => string | undefined) | undefined;

  /** @throws TypeError, RangeError for options that cannot be meant */
  constructor(options: RemoteValidatorOptions) {
    super();
    const { clientId, clientSecret, allowHttp = false, now = Date.now } = options;
    if (!clientId || !clientSecret) throw new TypeError('clientId and clientSecret must not be empty.');
    const endpoint = trustedEndpoint('introspectionEndpoint', options.introspectionEndpoint, allowHttp);
    const timeoutMs = withinRange('timeoutMs', options.timeoutMs ?? 1_000, 1, 60_000);
    const connections = withinRange('connections', options.connections ?? 32, 1, 1_024);
    const seconds = withinRange('cacheSeconds', options.cacheSeconds ?? 0, 0, 300);
    const entries = withinRange('cacheEntries', options.cacheEntries ?? 10_000, 1, 1_000_000);
    this.now = now;
    this.traceparent = options.traceparent;
    this.client = new IntrospectionClient({ endpoint, clientId, clientSecret, connections });
    this.questions = new QuestionQueue((token, deadline, trace) => this.ask(token, deadline, trace), {
      connections,
      waiting: MOST_WAITING,
      timeoutMs,
    });
    if (seconds > 0) this.cache = new VerdictCache({ seconds, entries, now });
  }

  /** @throws NoVerdict when the authority gave no answer, or none that can be understood */
  override async validate(token: string, traceparent?: string): Promise<Validation> {
    return this.cache?.get(token) ?? this.questions.ask(token, this.traceparent?.() ?? traceparent);
  }

  /** Called by Nest when no request is left: lets go of the connections. */
  onApplicationShutdown(): void {
    this.client.close();
  }

  private async ask(token: string, deadline: number, traceparent?: string): Promise<Validation> {
    const askedAt = this.now();
    const validation = readIntrospection(await this.client.ask(token, deadline, traceparent));
    this.cache?.put(token, validation, askedAt);
    return validation;
  }
}
