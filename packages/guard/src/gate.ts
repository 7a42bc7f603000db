import type { IncomingMessage } from 'node:http';
import { bearerAnswer, type BearerAnswer, type BearerErrorCode, type Challenge } from './bearer-answer.js';
import { bearerToken } from './bearer-header.js';
import { MisaddressedTokens } from './misaddressed.js';
import { OnceASecond } from './once-a-second.js';
import type { Principal } from './claims.js';
import type { TokenValidator } from './token-validator.js';

export interface BearerOptions extends Challenge {
  readonly validator: TokenValidator;
  /** Who tokens must be for. Without it, every token of the authority is good here. */
  readonly audience?: string;
  /** Takes a line about what callers are not told: standard error if absent. There is never a token in it. */
  readonly warn?: (line: string) => unknown;
}

/** Kept beside the requests, so that nothing that a client sends can be taken for one. */
const principals = new WeakMap<object, Principal>();

/**
 * From a request to its principal or to the answer that refuses it, without any framework: what `BearerGuard` is for Nest. It
 * never knows how a token is validated.
 */
export class Gate {
  private readonly misaddressed: MisaddressedTokens;
  private readonly faults: OnceASecond<unknown>;

  constructor(private readonly options: BearerOptions) {
    const { warn = (line) => process.stderr.write(`keks-guard: ${line}\n`) } = options;
    this.misaddressed = new MisaddressedTokens(warn);
    this.faults = new OnceASecond((fault, unsaid) => {
      const more = unsaid === 0 ? '' : ` (and ${unsaid} more)`;
      warn(`no verdict: ${fault instanceof Error ? fault.message : 'unknown fault'}${more}`);
    });
  }

  /** @returns the refusal; undefined if the request may go on, and then its principal is known */
  async refusal(request: IncomingMessage, scope: readonly string[]): Promise<BearerAnswer | undefined> {
    const { rawHeaders, url } = request;
    const presented = bearerToken({ rawHeaders, url, headers: {} });
    if (presented.kind === 'none') return this.answer('unauthorized', scope);
    if (presented.kind === 'malformed') return this.answer('invalid_request', scope);
    const trace = request.headers['traceparent'];
    try {
      const code = await this.judged(request, presented.token, scope, one(trace));
      return code && this.answer(code, scope);
    } catch (fault) {
      this.faults.say(fault);
      return this.answer('temporarily_unavailable', scope);
    }
  }

  private async judged(
    request: IncomingMessage,
    token: string,
    scope: readonly string[],
    traceparent: string | undefined,
  ): Promise<BearerErrorCode | undefined> {
    const { validator, audience } = this.options;
    const validation = await validator.validate(token, traceparent);
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
    if (!scope.every((wanted) => principal.scope.includes(wanted))) return 'insufficient_scope';
    principals.set(request, principal);
    return undefined;
  }

  private answer(code: BearerErrorCode, scope: readonly string[]): BearerAnswer {
    return bearerAnswer(code, this.options, scope);
  }
}

/** @throws Error on a route that no guard is in front of: nobody is there to name */
export function principalOfRaw(request: IncomingMessage): Principal {
  const principal = principals.get(request);
  if (!principal) throw new Error('No bearer guard is in front of this route: nobody is there to name.');
  return principal;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
