import { decodeProtectedHeader, jwtVerify } from 'jose';
import { trustedEndpoint, withinRange } from './endpoint.js';
import {
  ExactRevocations,
  namesOf,
  type ExactRevocationsOptions,
  type LeaseState,
} from './exact-revocations.js';
import { remoteKeys, type RemoteKeys } from './jwks.js';
import { refusalOf, verdictOf, type Refused } from './jwt-verdict.js';
import { ProvenTokens } from './proven-tokens.js';
import type { Names } from './revocation-set.js';
import { TokenValidator, type Validation } from './token-validator.js';

export interface JwtValidatorOptions extends Partial<
  Omit<ExactRevocationsOptions, 'allowHttp' | 'now' | 'timeoutMs'>
> {
  /** The authority, exactly as it writes its own name in `iss` (RFC 9068 §2.2). */
  readonly issuer: string;
  /** This API: `aud` must name it. */
  readonly audience: string;
  /** Where the keys are, `<issuer>/.well-known/jwks.json` if absent. Plain `http` only for loopback. */
  readonly jwksUri?: string | URL;
  /**
   * `exact`: a revoked token is refused here as soon as its revoke is answered. This needs `clientId` and `clientSecret`, and the
   * authority once a lease. If absent, a revoked token stays good here until it expires.
   */
  readonly revocations?: 'exact';
  /** Milliseconds in which the keys must come, 1,000 if absent. After that: 503. */
  readonly timeoutMs?: number;
  /** Seconds for which keys are good without asking again, 300 if absent. If the authority is away for longer: 503. */
  readonly keysMaxAge?: number;
  /** Seconds after a question in which an unknown key id does not cause a new one, 30 if absent. */
  readonly keysCooldown?: number;
  /**
   * How many tokens are remembered whose signature was verified, 10,000 if absent. Their signature is not verified again while
   * the keys stay the same; whether they have expired or were taken back is checked each time. 0 remembers none.
   */
  readonly provenTokens?: number;
  /** Allows plain `http` to other machines too: somebody in between can then put in their own keys. */
  readonly allowHttp?: boolean;
  /** Milliseconds since the epoch, `Date.now` if absent. */
  readonly now?: () => number;
}

/** Pinned here and never read from a token (RFC 8725 §3.1). */
const ALGORITHM = 'ES256';
/** RFC 9068 §2.2. */
const REQUIRED = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'];
/** The most characters of a token; below, its form: three parts in base64url. */
const LONGEST = 8_192;
const SPELLING = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Seconds. The clock of the authority may be a little ahead. */
const CLOCKS_DIFFER = 60;

/** What does not change about a token that is for us and has a true signature. */
interface Proven {
  readonly validation: Extract<Validation, { readonly active: true }>;
  /** Undefined where revocations are not followed. */
  readonly names: Names | undefined;
  readonly issuedAt: number;
  readonly notBefore: number;
}

/**
 * Judges JWTs (RFC 9068) by signature and claims alone, without asking the authority about any of them. **It does not learn of
 * revocations unless the option `revocations` is `exact`: without it, a revoked token stays good here until it expires.** It
 * refuses opaque tokens.
 */
export class JwtValidator extends TokenValidator {
  private readonly keys: RemoteKeys;
  private readonly proven: ProvenTokens<Proven>;
  private readonly options: Pick<JwtValidatorOptions, 'issuer' | 'audience'>;
  private readonly now: () => number;
  private readonly revocations: ExactRevocations | undefined;

  /** @throws TypeError, RangeError for options that cannot be meant */
  constructor(options: JwtValidatorOptions) {
    super();
    const { issuer, audience, allowHttp = false, now = Date.now } = options;
    if (!issuer || !audience) throw new TypeError('issuer and audience must not be empty.');
    const jwksUri = options.jwksUri ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`;
    this.keys = remoteKeys(trustedEndpoint('jwksUri', jwksUri, allowHttp), {
      timeoutMs: withinRange('timeoutMs', options.timeoutMs ?? 1_000, 1, 60_000),
      maxAge: withinRange('keysMaxAge', options.keysMaxAge ?? 300, 1, 86_400),
      cooldown: withinRange('keysCooldown', options.keysCooldown ?? 30, 1, 3_600),
    });
    this.proven = new ProvenTokens(withinRange('provenTokens', options.provenTokens ?? 10_000, 0, 1_000_000));
    this.options = { issuer, audience };
    this.now = now;
    if (!follows(options)) return;
    const { clientId = '', clientSecret = '' } = options;
    this.revocations = new ExactRevocations(issuer, { ...options, clientId, clientSecret });
  }

  /** Nest calls it when no request is left: it gives its lease back, and closes the connections. */
  async onApplicationShutdown(): Promise<void> {
    await this.revocations?.stop();
  }

  /**
   * For metrics: milliseconds for which it knows all revocations, how many entries it holds, and where the verdicts came from.
   */
  get lease(): LeaseState | undefined {
    return this.revocations?.state;
  }

  /** @throws NoVerdict when the keys could not be fetched, or nobody knows whether the token was taken back */
  override async validate(token: string, traceparent?: string): Promise<Validation> {
    if (token.length > LONGEST) return { active: false, reason: 'malformed' };
    const now = this.now();
    const judged = this.known(token, now) ?? (await this.prove(token, now));
    if ('reason' in judged) return judged;
    const { validation, names } = judged;
    if (this.isNotNamed(names)) return validation;
    return (names && (await this.revocations?.refusal(token, names, traceparent))) ?? validation;
  }

  /** @returns undefined for a token that is new here or over, that a revocation may mean, or if there is no lease */
  override verdictAtOnce(token: string): Validation | undefined {
    // whoever has put a method of their own in the place of `validate` wants it to be asked
    if (this.validate !== JwtValidator.prototype.validate || token.length > LONGEST) return undefined;
    const known = this.known(token, this.now());
    return known && this.isNotNamed(known.names) ? known.validation : undefined;
  }

  /** What was proved of the token before, if the token is in time now. */
  private known(token: string, now: number): Proven | undefined {
    const known = this.proven.get(token, this.keys.inForce());
    return known && isInTime(known, now) ? known : undefined;
  }

  /** It must be the last step before a token is accepted: after a later step the answer could be older than a revoke. */
  private isNotNamed(names: Names | undefined): boolean {
    return !this.revocations || !names || this.revocations.judge(names) === 'not named';
  }

  private async prove(token: string, now: number): Promise<Proven | Refused> {
    if (!isOurSpelling(token)) return { active: false, reason: 'malformed' };
    const { issuer, audience } = this.options;
    const keys = this.keys.inForce();
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.keys.find, {
        algorithms: [ALGORITHM],
        typ: 'at+jwt',
        issuer,
        audience,
        requiredClaims: REQUIRED,
        currentDate: new Date(now),
      });
      const validation = verdictOf(payload, latestIssue(now));
      if (!validation.active) return validation;
      const { tokenId: jti, subject: sub, expiresAt: exp, actors } = validation.principal;
      const claims = { jti, sub, exp, actors, kid: protectedHeader.kid ?? '', sid: payload['sid'] };
      const names = this.revocations && namesOf(claims);
      const found = { validation, names, issuedAt: payload.iat ?? 0, notBefore: payload.nbf ?? 0 };
      // if the keys changed meanwhile, nobody knows which set proved the token
      if (keys === this.keys.inForce()) this.proven.put(token, keys, found);
      return found;
    } catch (fault) {
      return refusalOf(fault, this.options.audience, now);
    }
  }
}

/** Options of the revocations alone: whoever gives one of them means to follow them. */
const OF_REVOCATIONS = ['clientId', 'clientSecret', 'introspectionEndpoint', 'revocationsEndpoint'] as const;

/** @throws TypeError for options that say both or something else */
function follows({ revocations, ...options }: JwtValidatorOptions): boolean {
  if (revocations === 'exact') return true;
  if (revocations !== undefined) throw new TypeError("revocations is 'exact', or it is left out.");
  const meant = OF_REVOCATIONS.filter((name) => options[name] !== undefined);
  if (meant.length > 0)
    throw new TypeError(
      `${meant.join(', ')} can do nothing without revocations: 'exact': revoked tokens would stay good until they expire.`,
    );
  return false;
}

/** Compares whole seconds, as `jwtVerify` does. */
function isInTime({ validation, issuedAt, notBefore }: Proven, now: number): boolean {
  const seconds = Math.floor(now / 1_000);
  return validation.principal.expiresAt > seconds && notBefore <= seconds && issuedAt <= latestIssue(now);
}

function latestIssue(now: number): number {
  return Math.floor(now / 1_000) + CLOCKS_DIFFER;
}

/** A JWT has one spelling, a key id, and no extension that must be understood (RFC 7515 §4.1.11). */
function isOurSpelling(token: string): boolean {
  if (token.length > LONGEST || !SPELLING.test(token)) return false;
  if (!token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part))
    return false;
  try {
    const { kid, crit } = decodeProtectedHeader(token);
    return typeof kid === 'string' && crit === undefined;
  } catch {
    return false;
  }
}
