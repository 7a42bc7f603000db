import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { bearerToken, type Presented, type RawRequest } from './bearer-header.js';
import type { BearerErrorCode, DpopChallenge } from './bearer-answer.js';
import { BearerError } from './bearer-error.js';
import { PROOF_FLAWS } from './dpop-flaws.js';
import { DpopVerifier, type ProofVerdict } from './dpop-verifier.js';
import { GUARD_OPTIONS, isValidator, type GuardOptions } from './guard-options.js';
import { traceOf } from './header-line.js';
import { MisaddressedTokens } from './misaddressed.js';
import { OnceASecond } from './once-a-second.js';
import { PRINCIPAL, type Principal } from './principal.js';
import { routeWords } from './route-words.js';
import { TokenValidator, type Validation } from './token-validator.js';

interface Rule {
  readonly open: boolean;
  readonly scope: readonly string[];
  /** The challenge of a route that only bound tokens open; undefined where bearer tokens open it too. */
  readonly dpop: DpopChallenge | undefined;
  /**
   * Each error is made when it is first needed and then thrown again and again: it says nothing about the request, and a stack
   * trace costs 8 us each time.
   */
  readonly refusals: Map<BearerErrorCode, BearerError>;
}

interface GuardedRequest {
  readonly raw?: RawRequest;
  [PRINCIPAL]?: Principal;
}

interface Visit {
  readonly request: GuardedRequest & RawRequest;
  readonly response: unknown;
  readonly rule: Rule;
}

/**
 * Owns the way from a request's header to its principal; it never knows how a token is validated. Global: a route without
 * annotation is closed, and `@Public()` opens it.
 */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly logger = new Logger('guard');
  private readonly faults = new OnceASecond<unknown>((error, unsaid) => {
    const more = unsaid === 0 ? '' : ` (and ${unsaid} more)`;
    this.logger.warn(`no verdict: ${error instanceof Error ? error.message : 'unknown fault'}${more}`);
  });
  private readonly misaddressed = new MisaddressedTokens((line) => this.logger.warn(line));
  private readonly rules = new WeakMap<object, WeakMap<object, Rule>>();

  /** @throws TypeError if there is no validator: every token would be 503 */
  constructor(
    private readonly validator: TokenValidator,
    @Inject(GUARD_OPTIONS) private readonly options: GuardOptions,
    private readonly adapters: HttpAdapterHost,
    @Optional() private readonly dpop?: DpopVerifier,
  ) {
    if (!isValidator(validator))
      throw new TypeError(
        'The provider of the validator has made none: GuardModule.forRoot wants a TokenValidator, an object with the method validate.',
      );
  }

  /** @throws BearerError */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.ruleOf(context);
    if (rule.open) return true;
    if (context.getType() !== 'http')
      throw new Error('The bearer guard knows the way into HTTP routes only.');
    const http = context.switchToHttp();
    const visit: Visit = { request: http.getRequest(), response: http.getResponse(), rule };
    const raw = visit.request.raw ?? visit.request;
    const presented = bearerToken(raw);
    if (presented.kind === 'malformed') throw this.refusal('invalid_request', visit);
    if (presented.kind === 'none') throw this.refusal('unauthorized', visit);
    if (presented.kind === 'dpop') return this.admitBound(visit, raw, presented);
    // the token may be good elsewhere: here nobody asks the validator
    if (rule.dpop) throw this.refusal('invalid_token', visit);
    const { token } = presented;
    const known = this.atOnce(token, visit);
    if (known) return this.admit(visit, this.principalIn(known, visit));
    return this.validator.validate(token, traceOf(raw)).then(
      (validation) => this.admit(visit, this.principalIn(validation, visit)),
      (error: unknown) => this.noVerdict(error, visit),
    );
  }

  /** Without a promise, which would cost more than the verdict. @throws BearerError */
  private atOnce(token: string, visit: Visit): Validation | undefined {
    try {
      return this.validator.verdictAtOnce?.(token);
    } catch (error) {
      return this.noVerdict(error, visit);
    }
  }

  /** RFC 9449 §7.1: the token is checked before the proof, because a proof costs more to check. @throws BearerError */
  private async admitBound(
    visit: Visit,
    raw: RawRequest,
    { token }: Presented & { token: string },
  ): Promise<true> {
    const { dpop } = this;
    // without a verifier nobody knows what a proof would have to say: DPoP is then one more unknown scheme
    if (!dpop) throw this.refusal('unauthorized', visit);
    const validated =
      this.atOnce(token, visit) ??
      (await this.validator
        .validate(token, traceOf(raw))
        .catch((error: unknown) => this.noVerdict(error, visit)));
    const said = { algs: dpop.algs };
    const principal = this.principalIn(validated, visit, said);
    const verdict = await dpop.verify(raw, token).catch((error: unknown) => this.noVerdict(error, visit));
    if (verdict.flaw !== undefined) throw this.proofRefusal(visit, verdict, said);
    if (verdict.jkt !== principal.jkt) throw this.refusal('invalid_token', visit, { dpop: said });
    if (verdict.nonce !== undefined)
      this.adapters.httpAdapter.setHeader(visit.response, 'DPoP-Nonce', verdict.nonce);
    return this.admit(visit, principal, said);
  }

  private proofRefusal(
    visit: Visit,
    { flaw, nonce }: ProofVerdict & { readonly flaw: NonNullable<ProofVerdict['flaw']> },
    said: DpopChallenge,
  ): BearerError {
    return this.refusal(PROOF_FLAWS[flaw][0], visit, { dpop: { ...said, flaw, nonce } });
  }

  private noVerdict(error: unknown, visit: Visit): never {
    if (error instanceof BearerError) throw error;
    this.faults.say(error);
    throw this.refusal('temporarily_unavailable', visit, { cause: error });
  }

  /**
   * RFC 9449 §7.2: a token that is bound to a key is no bearer token. A token that is not bound, but comes with a proof, is
   * refused too: the proof then proves nothing.
   * @throws BearerError
   */
  private principalIn(validation: Validation, visit: Visit, dpop?: DpopChallenge): Principal {
    if (!validation.active) {
      const { misaddressed } = validation;
      if (misaddressed) this.misaddressed.note(misaddressed.tokenFor, [misaddressed.cameTo]);
      throw this.refusal('invalid_token', visit, dpop && { dpop });
    }
    const { principal } = validation;
    if (!this.isForUs(principal)) {
      this.misaddressed.note(principal.audience, [this.options.audience ?? '']);
      throw this.refusal('invalid_token', visit, dpop && { dpop });
    }
    if ((principal.jkt === undefined) !== (dpop === undefined))
      throw this.refusal('invalid_token', visit, dpop && { dpop });
    return principal;
  }

  /** @throws BearerError */
  private admit(visit: Visit, principal: Principal, dpop?: DpopChallenge): true {
    for (const scope of visit.rule.scope)
      if (!principal.scope.includes(scope)) throw this.refusal('insufficient_scope', visit, dpop && { dpop });
    visit.request[PRINCIPAL] = principal;
    this.keepPrivate(visit.response);
    return true;
  }

  private isForUs(principal: Principal): boolean {
    return this.options.audience === undefined || principal.audience.includes(this.options.audience);
  }

  /** The header is set here and not by the filter alone: if the API has a catch-all filter, the challenge would be lost. */
  private refusal(
    code: BearerErrorCode,
    { rule, response }: Visit,
    options?: ErrorOptions & { readonly dpop?: DpopChallenge },
  ): BearerError {
    const error = options ? new BearerError(code, this.options, rule.scope, options) : this.known(code, rule);
    for (const [name, value] of Object.entries(error.headers))
      this.adapters.httpAdapter.setHeader(response, name, value);
    return error;
  }

  private known(code: BearerErrorCode, { scope, refusals, dpop }: Rule): BearerError {
    let error = refusals.get(code);
    if (!error) refusals.set(code, (error = new BearerError(code, this.options, scope, { dpop })));
    return error;
  }

  /**
   * An answer that a token opened is for its sender only (RFC 6750 §5.3), unless the API has set another `Cache-Control`, or sets
   * it later.
   */
  private keepPrivate(response: unknown): void {
    const { httpAdapter } = this.adapters;
    if (httpAdapter.getHeader(response, 'Cache-Control') === undefined)
      httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
  }

  /** Reads the decorators once for each route. */
  private ruleOf(context: ExecutionContext): Rule {
    const handler = context.getHandler();
    const controller = context.getClass();
    let known = this.rules.get(controller);
    if (!known) this.rules.set(controller, (known = new WeakMap()));
    let rule = known.get(handler);
    if (!rule) {
      const { open, scope, dpop } = routeWords(handler, controller);
      rule = { open, scope, dpop: this.wantsDpop(dpop), refusals: new Map() };
      known.set(handler, rule);
    }
    return rule;
  }

  /** Without a verifier such a route opens to nobody: RouteChecks has reported that at the start. */
  private wantsDpop(byDecorator: boolean): DpopChallenge | undefined {
    return byDecorator || this.dpop?.required ? { algs: this.dpop?.algs ?? '' } : undefined;
  }
}
