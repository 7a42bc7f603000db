import { trustedEndpoint, withinRange } from './endpoint.js';
import { readIntrospection } from './introspection.js';
import { IntrospectionClient } from './introspection-client.js';
import { QuestionQueue } from './question-queue.js';
import { TokenValidator, type Validation } from './token-validator.js';
import { VerdictCache } from './verdict-cache.js';

export interface RemoteValidatorOptions {
  /** The introspection endpoint of the authority: `https://auth.example.com/oauth/introspect`. Plain `http` only for loopback. */
  readonly introspectionEndpoint: string | URL;
  /**
   * This API is a client of the authority. The authority tells it about tokens for its own audience, and about its own tokens.
   */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Milliseconds in which a verdict must come, 1,000 if absent. After that: 503. */
  readonly timeoutMs?: number;
  /** How many questions are sent at the same time, 32 if absent. The others wait for their turn, within `timeoutMs`. */
  readonly connections?: number;
  /**
   * Seconds, at most 300. **If it is set, a revoked token stays good here for up to that long.** 0 if absent: every request asks,
   * and a revoked token is refused as soon as its revoke is answered.
   */
  readonly cacheSeconds?: number;
  /** How many tokens are remembered, 10,000 if absent. */
  readonly cacheEntries?: number;
  /** Allows plain `http` to other machines too: somebody in between can then read tokens and the secret. */
  readonly allowHttp?: boolean;
  /**
   * For an API that traces (W3C Trace Context): returns the `traceparent` of what runs now. With OpenTelemetry that is what
   * `propagation.inject` writes. If absent, the `traceparent` of the request that brought the token is passed on.
   */
  readonly traceparent?: () => string | undefined;
  /** Milliseconds since the epoch, `Date.now` if absent. Only the cache uses it. */
  readonly now?: () => number;
}

const MOST_WAITING = 10_000;

/**
 * Asks the authority about every token (RFC 7662), so a revoked token is refused here as soon as its revoke is answered. It never
 * decides by itself: without an answer there is no verdict.
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

  /** @throws NoVerdict when the authority gave no answer, or an answer that cannot be understood */
  override async validate(token: string, traceparent?: string): Promise<Validation> {
    return this.cache?.get(token) ?? this.questions.ask(token, this.traceparent?.() ?? traceparent);
  }

  /** Nest calls it when no request is left: it closes the connections. */
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
