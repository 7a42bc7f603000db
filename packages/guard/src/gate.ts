import type { IncomingMessage } from 'node:http';
import {
  bearerAnswer,
  type BearerAnswer,
  type BearerErrorCode,
  type Challenge,
  type DpopChallenge,
} from './bearer-answer.js';
import { bearerToken } from './bearer-header.js';
import { PROOF_FLAWS } from './dpop-flaws.js';
import type { DpopOptions, DpopVerifier } from './dpop-verifier.js';
import { checkOptions, dpopVerifier, isValidator } from './guard-options.js';
import { traceOf } from './header-line.js';
import { MisaddressedTokens } from './misaddressed.js';
import { OnceASecond } from './once-a-second.js';
import type { Principal } from './claims.js';
import type { TokenValidator } from './token-validator.js';

export interface BearerOptions extends Challenge {
  readonly validator: TokenValidator;
  /** The audience that tokens must name. Without it, every token of the authority is good here. */
  readonly audience?: string;
  /** For tokens that are bound to a key (RFC 9449): the address by which callers know this API, and more. */
  readonly dpop?: DpopOptions;
  /** Writes a line about what callers are not told; standard error if absent. A line never has a token in it. */
  readonly warn?: (line: string) => unknown;
}

/** Kept beside the requests and not in them: nothing that a client sends can be mistaken for a principal. */
const principals = new WeakMap<object, Principal>();

/**
 * Finds the principal of a request, or the answer that refuses the request, without any framework: it does what `BearerGuard`
 * does for Nest. It never knows how a token is validated.
 */
export class Gate {
  private readonly misaddressed: MisaddressedTokens;
  private readonly faults: OnceASecond<unknown>;
  private readonly dpop: DpopVerifier | undefined;

  /** @throws TypeError, RangeError for options that cannot be meant */
  constructor(private readonly options: BearerOptions) {
    checkOptions(options);
    if (!isValidator(options.validator))
      throw new TypeError('validator must be a TokenValidator: an object with the method validate.');
    const warn = patiently(options.warn);
    this.dpop = dpopVerifier(options.dpop, options.audience);
    this.misaddressed = new MisaddressedTokens(warn);
    this.faults = new OnceASecond((fault, unsaid) => {
      const more = unsaid === 0 ? '' : ` (and ${unsaid} more)`;
      warn(`no verdict: ${fault instanceof Error ? fault.message : 'unknown fault'}${more}`);
    });
  }

  /**
   * @param header sets a header of the answer, whether the request is refused or not
   * @returns the refusal; undefined if the request may go on, and then its principal is known
   */
  async refusal(
    request: IncomingMessage,
    scope: readonly string[],
    header: (name: string, value: string) => unknown,
  ): Promise<BearerAnswer | undefined> {
    const presented = bearerToken(request);
    const wanted = this.dpop?.required ? { algs: this.dpop.algs } : undefined;
    if (presented.kind === 'malformed') return this.answer('invalid_request', scope, wanted);
    if (presented.kind === 'none') return this.answer('unauthorized', scope, wanted);
    const bound = presented.kind === 'dpop';
    // without a verifier nobody knows what a proof would have to say: DPoP is then one more unknown scheme
    if (bound && !this.dpop) return this.answer('unauthorized', scope);
    if (!bound && wanted) return this.answer('invalid_token', scope, wanted);
    const dpop = bound ? this.dpop : undefined;
    try {
      const refused = await this.judged(request, presented.token, scope, dpop);
      if (typeof refused === 'string') return this.answer(refused, scope, dpop && { algs: dpop.algs });
      if (refused?.flaw) return this.answer(PROOF_FLAWS[refused.flaw][0], scope, refused);
      if (refused?.nonce !== undefined) header('DPoP-Nonce', refused.nonce);
      return undefined;
    } catch (fault) {
      this.faults.say(fault);
      return this.answer('temporarily_unavailable', scope);
    }
  }

  /** @returns why the request is refused; a challenge without a flaw refuses nothing */
  private async judged(
    request: IncomingMessage,
    token: string,
    scope: readonly string[],
    dpop: DpopVerifier | undefined,
  ): Promise<BearerErrorCode | DpopChallenge | undefined> {
    const { validator, audience } = this.options;
    const validation =
      validator.verdictAtOnce?.(token) ?? (await validator.validate(token, traceOf(request)));
    if (!validation.active) {
      const { misaddressed } = validation;
      if (misaddressed) this.misaddressed.note(misaddressed.tokenFor, [misaddressed.cameTo]);
      return 'invalid_token';
    }
    const { principal } = validation;
    if (audience !== undefined && !principal.audience.includes(audience)) {
      this.misaddressed.note(principal.audience, [audience]);
      return 'invalid_token';
    }
    // RFC 9449 §7.2: a bound token is no bearer token; a token that is not bound, but comes with a proof, is refused too: the
    // proof then proves nothing
    if ((principal.jkt === undefined) !== (dpop === undefined)) return 'invalid_token';
    const verdict = await dpop?.verify(request, token);
    if (dpop && verdict?.flaw) return { algs: dpop.algs, flaw: verdict.flaw, nonce: verdict.nonce };
    if (verdict && 'jkt' in verdict && verdict.jkt !== principal.jkt) return 'invalid_token';
    if (!scope.every((wanted) => principal.scope.includes(wanted))) return 'insufficient_scope';
    principals.set(request, principal);
    return verdict && dpop && { algs: dpop.algs, nonce: verdict.nonce };
  }

  private answer(
    code: BearerErrorCode,
    scope: readonly string[],
    dpop?: DpopChallenge | undefined,
  ): BearerAnswer {
    return bearerAnswer(code, this.options, scope, dpop);
  }
}

/** @throws Error on a route without a guard: such a route has no principal */
export function principalOfRaw(request: IncomingMessage): Principal {
  const principal = principals.get(request);
  if (!principal) throw new Error('No bearer guard is in front of this route: nobody is there to name.');
  return principal;
}

/** A log that throws must not make another answer of a request, and must not end the process. */
function patiently(warn: BearerOptions['warn']): (line: string) => void {
  const say = (line: string): unknown => process.stderr.write(`keks-guard: ${line}\n`);
  return (line) => {
    try {
      (warn ?? say)(line);
    } catch {
      say(line);
    }
  };
}
