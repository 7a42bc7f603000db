import { Inject, Injectable, Logger, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { bearerToken, type RawRequest } from './bearer-header.js';
import { BearerError, type BearerErrorCode } from './bearer.error.js';
import { GUARD_OPTIONS, type GuardOptions } from './guard.options.js';
import { PRINCIPAL, PUBLIC, REQUIRED_SCOPE, type Principal } from './principal.js';
import { TokenValidator } from './token-validator.js';

interface Rule {
  readonly open: boolean;
  readonly scope: readonly string[];
}

interface GuardedRequest {
  readonly raw?: RawRequest;
  [PRINCIPAL]?: Principal;
}

/**
 * Owns the way from a request's header to its principal; never how a token is validated. Global: a route
 * without annotation is closed, `@Public()` opens one.
 */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly logger = new Logger('guard');
  private readonly rules = new WeakMap<object, WeakMap<object, Rule>>();

  constructor(
    private readonly validator: TokenValidator,
    @Inject(GUARD_OPTIONS) private readonly options: GuardOptions,
  ) {}

  /** @throws BearerError */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.ruleOf(context);
    if (rule.open) return true;
    const request = context.switchToHttp().getRequest<GuardedRequest & RawRequest>();
    const presented = bearerToken(request.raw ?? request);
    if (presented.kind === 'none') throw this.error('unauthorized', rule);
    if (presented.kind === 'malformed') throw this.error('invalid_request', rule);
    return this.admit(request, presented.token, rule);
  }

  private async admit(request: GuardedRequest, token: string, rule: Rule): Promise<boolean> {
    const validation = await this.validator.validate(token).catch((error: unknown) => {
      this.logger.warn(`no verdict: ${error instanceof Error ? error.message : 'unknown fault'}`);
      throw this.error('temporarily_unavailable', rule, { cause: error });
    });
    if (!validation.active || !this.isForUs(validation.principal)) throw this.error('invalid_token', rule);
    for (const scope of rule.scope)
      if (!validation.principal.scope.includes(scope)) throw this.error('insufficient_scope', rule);
    request[PRINCIPAL] = validation.principal;
    return true;
  }

  private isForUs(principal: Principal): boolean {
    return this.options.audience === undefined || principal.audience.includes(this.options.audience);
  }

  private error(code: BearerErrorCode, rule: Rule, options?: ErrorOptions): BearerError {
    return new BearerError(code, this.options, rule.scope, options);
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
      rule = { open: read(PUBLIC) === true, scope: (read(REQUIRED_SCOPE) as string[] | undefined) ?? [] };
      known.set(handler, rule);
    }
    return rule;
  }
}
