import { trustedEndpoint, withinRange } from './endpoint.js';
import { IntrospectionClient } from './introspection-client.js';
import { RemoteValidator, type RemoteValidatorOptions } from './remote-validator.js';
import { RevocationFollower } from './revocation-follower.js';
import { hashed, type Names } from './revocation-set.js';
import type { Validation } from './token-validator.js';

export interface ExactRevocationsOptions extends Omit<
  RemoteValidatorOptions,
  'introspectionEndpoint' | 'cacheSeconds' | 'cacheEntries'
> {
  /**
   * The introspection endpoint of the authority, `<issuer>/oauth/introspect` if absent. It is asked while there is no lease, and
   * when an entry may mean the token.
   */
  readonly introspectionEndpoint?: string | URL;
  /** The feed of revocations of the authority, `<issuer>/oauth/revocations` if absent. */
  readonly revocationsEndpoint?: string | URL;
}

/** The claims that an entry can name, from a token whose signature is true. */
export interface NamedClaims {
  readonly jti: string;
  readonly sub: string;
  readonly kid: string;
  readonly sid?: unknown;
  /** Who acts for the subject (RFC 8693 §4.1). */
  readonly actors?: readonly string[] | undefined;
  readonly exp: number;
}

export interface LeaseState {
  /** Milliseconds until the lease ends. */
  readonly leaseMs: number;
  /** Why the last question to the feed has failed, in a sentence for the operator. Absent if it has not. */
  readonly fault?: string;
  readonly entries: number;
  /** How many tokens were accepted from memory, were asked about, and were refused from memory. */
  readonly answers: { readonly memory: number; readonly question: number; readonly refused: number };
}

interface Cleared {
  readonly of: object;
  readonly at: number;
}

const FAREWELL_MS = 500;
const CLEARED_MOST = 10_000;
/** Bytes: ten thousand entries need two million. */
const LONGEST_FEED = 4_194_304;

/**
 * Owns whether a JWT with a true signature has been taken back. Memory says it while there is a lease; without a lease the
 * authority says it; if the authority is away, nobody does. It never guesses.
 */
export class ExactRevocations {
  private readonly client: IntrospectionClient;
  private readonly remote: RemoteValidator;
  private readonly follower: RevocationFollower;
  /** Tokens about which the authority has been asked, each with the position in the feed before the question. */
  private readonly cleared = new Map<string, Cleared>();
  readonly answers = { memory: 0, question: 0, refused: 0 };

  /** @throws TypeError, RangeError for options that cannot be meant */
  constructor(issuer: string, options: ExactRevocationsOptions) {
    const { clientId, clientSecret, allowHttp = false, now = Date.now } = options;
    const base = issuer.replace(/\/$/, '');
    const { introspectionEndpoint = `${base}/oauth/introspect` } = options;
    const feed = options.revocationsEndpoint ?? `${base}/oauth/revocations`;
    const timeoutMs = withinRange('timeoutMs', options.timeoutMs ?? 1_000, 1, 60_000);
    if ((options as Partial<RemoteValidatorOptions>).cacheSeconds)
      throw new TypeError(
        'cacheSeconds does not go with exact revocations: a verdict that is kept outlives the revoke.',
      );
    this.remote = new RemoteValidator({ ...options, introspectionEndpoint });
    const endpoint = trustedEndpoint('revocationsEndpoint', feed, allowHttp);
    this.client = new IntrospectionClient({
      endpoint,
      clientId,
      clientSecret,
      connections: 1,
      longest: LONGEST_FEED,
      name: 'revocation feed',
    });
    this.follower = new RevocationFollower({
      ask: (form, deadline) => this.client.askWith(form, deadline),
      timeoutMs,
      now,
    });
  }

  get state(): LeaseState {
    const { leaseLeft: leaseMs, size: entries, fault } = this.follower;
    return { leaseMs, entries, answers: { ...this.answers }, ...(fault !== undefined && { fault }) };
  }

  /**
   * Answers from memory. It must be the last step before a token is accepted: after a later step the answer could be older than a
   * revoke.
   */
  judge(names: Names): 'dead' | 'unknown' | 'not named' {
    const verdict = this.follower.judge(names, this.cleared.get(names.jti));
    if (verdict === 'not named') this.answers.memory += 1;
    return verdict;
  }

  /**
   * For a token that `judge` has not accepted: waits for the first lease, or asks the authority.
   * @returns undefined if the token has not been taken back @throws NoVerdict
   */
  async refusal(token: string, names: Names, trace?: string): Promise<Validation | undefined> {
    await this.follower.start();
    const verdict = this.judge(names);
    if (verdict === 'not named') return undefined;
    if (verdict === 'dead') {
      this.answers.refused += 1;
      return { active: false, reason: 'revoked' };
    }
    this.answers.question += 1;
    const { position } = this.follower;
    const answer = await this.remote.validate(token, trace);
    if (!answer.active) return answer;
    this.remember(names.jti, position);
    return undefined;
  }

  /**
   * Tells the authority, so that no revoke waits for this guard. If the message is lost, a revoke waits until the lease is over.
   */
  async stop(): Promise<void> {
    const farewell = this.follower.stop();
    this.client.close();
    if (farewell) await this.client.askWith(farewell, performance.now() + FAREWELL_MS).catch(() => undefined);
    this.client.close();
    this.remote.onApplicationShutdown();
  }

  private remember(jti: string, position: Cleared): void {
    this.cleared.delete(jti);
    if (this.cleared.size >= CLEARED_MOST)
      for (const oldest of this.cleared.keys()) {
        this.cleared.delete(oldest);
        break;
      }
    this.cleared.set(jti, position);
  }
}

export function namesOf({ jti, sub, kid, sid, exp, actors }: NamedClaims): Names {
  const login = typeof sid === 'string' ? hashed(sid) : undefined;
  const names = { jti: hashed(jti), sub: hashed(sub), kid: hashed(kid), sid: login, exp };
  return actors ? { ...names, actors: actors.map(hashed) } : names;
}
