import { Inject, Injectable, Logger, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { bearerToken, type RawRequest } from './bearer-header.js';
import { BearerError, type BearerErrorCode } from './bearer-error.js';
import { GUARD_OPTIONS, type GuardOptions } from './guard-options.js';
import { OnceASecond } from './once-a-second.js';
import { PRINCIPAL, PUBLIC, REQUIRED_SCOPE, type Principal } from './principal.js';
import { TokenValidator, type Validation } from './token-validator.js';

interface Rule {
  readonly open: boolean;
  readonly scope: readonly string[];
  /** Made when first needed, thrown ever after: they say nothing of the request, and a stack trace costs 8 us each time. */
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
 * Owns the way from a request's header to its principal; never how a token is validated. Global: a route
 * without annotation is closed, `@Public()` opens one.
 */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly logger = new Logger('guard');
  private readonly faults = new OnceASecond<unknown>((error, unsaid) => {
    const more = unsaid === 0 ? '' : ` (and ${unsaid} more)`;
    this.logger.warn(`no verdict: ${error instanceof Error ? error.message : 'unknown fault'}${more}`);
  });
  private readonly rules = new WeakMap<object, WeakMap<object, Rule>>();

  constructor(
    private readonly validator: TokenValidator,
    @Inject(GUARD_OPTIONS) private readonly options: GuardOptions,
    private readonly adapters: HttpAdapterHost,
  ) {}

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
    if (presented.kind === 'none') throw this.refusal('unauthorized', visit);
    if (presented.kind === 'malformed') throw this.refusal('invalid_request', visit);
    return this.validator.validate(presented.token, raw.headers.traceparent).then(
      (validation) => this.admit(visit, validation),
      (error: unknown) => {
        this.faults.say(error);
        throw this.refusal('temporarily_unavailable', visit, { cause: error });
      },
    );
  }

  /** @throws BearerError */
  private admit(visit: Visit, validation: Validation): true {
    if (!validation.active || !this.isForUs(validation.principal)) throw this.refusal('invalid_token', visit);
    for (const scope of visit.rule.scope)
      if (!validation.principal.scope.includes(scope)) throw this.refusal('insufficient_scope', visit);
    visit.request[PRINCIPAL] = validation.principal;
    this.keepPrivate(visit.response);
    return true;
  }

  private isForUs(principal: Principal): boolean {
    return this.options.audience === undefined || principal.audience.includes(this.options.audience);
  }

  /** The header is set here and not by the filter alone: a catch-all filter of the API's own would lose the challenge. */
  private refusal(code: BearerErrorCode, { rule, response }: Visit, options?: ErrorOptions): BearerError {
    const error = options ? new BearerError(code, this.options, rule.scope, options) : this.known(code, rule);
    for (const [name, value] of Object.entries(error.headers))
      this.adapters.httpAdapter.setHeader(response, name, value);
    return error;
  }

  private known(code: BearerErrorCode, { scope, refusals }: Rule): BearerError {
    let error = refusals.get(code);
    if (!error) refusals.set(code, (error = new BearerError(code, this.options, scope)));
    return error;
  }

  /** What a token opened is for whoever sent it (RFC 6750 §5.3), unless the API has said, or says later, otherwise. */
  private keepPrivate(response: unknown): void {
    const { httpAdapter } = this.adapters;
    if (httpAdapter.getHeader(response, 'Cache-Control') === undefined)
      httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
  }

  /** Read from the decorators once a route. The method's word counts before the class's. */
  private ruleOf(context: ExecutionContext): Rule {
    const handler = context.getHandler();
    const controller = context.getClass();
    let known = this.rules.get(controller);
    if (!known) this.rules.set(controller, (known = new WeakMap()));
    let rule = known.get(handler);
    if (!rule) {
      const read = (key: symbol): unknown =>
        Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
      rule = {
        open: read(PUBLIC) === true,
        scope: (read(REQUIRED_SCOPE) as string[] | undefined) ?? [],
        refusals: new Map(),
      };
      known.set(handler, rule);
    }
    return rule;
  }
}
