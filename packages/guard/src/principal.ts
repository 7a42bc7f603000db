import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Principal } from './claims.js';
import { scopeTokens } from './scope-tokens.js';

export type { GrantedPrincipal, Principal } from './claims.js';

/**
 * The same in every copy of the package: a decorator of one copy must be seen by the guard of another, or a route would open
 * without its scope.
 */
export const PUBLIC = Symbol.for('keks:public');
export const REQUIRED_SCOPE = Symbol.for('keks:scope');
export const REQUIRED_DPOP = Symbol.for('keks:dpop');
/** The route wants a token, whatever its class says. */
export const GUARDED = Symbol.for('keks:guarded');
/** Where the guard leaves the principal on the request. */
export const PRINCIPAL = Symbol.for('keks:principal');

/** Opens a route, or a whole controller, to callers without a token. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

/**
 * The scopes that a token must have to use a route: all of `scopes`.
 * @throws TypeError for what is no scope, for none, and for a second `@RequireScope()` on the same place
 */
export const RequireScope = (...scopes: [string, ...string[]]): MethodDecorator & ClassDecorator => {
  const wanted = scopeTokens('@RequireScope', scopes);
  if (wanted.length === 0) throw new TypeError('@RequireScope() names at least one scope.');
  const decorate: MethodDecorator & ClassDecorator = SetMetadata(REQUIRED_SCOPE, wanted);
  const once = (target: object, ...rest: [] | [string | symbol, TypedPropertyDescriptor<object>]): void => {
    const place = rest[1]?.value ?? target;
    if (Reflect.hasOwnMetadata(REQUIRED_SCOPE, place))
      throw new TypeError('@RequireScope() is twice on the same place: name all scopes in one of them.');
    Reflect.apply(decorate, undefined, [target, ...rest]);
  };
  return once as MethodDecorator & ClassDecorator;
};

/** Opens a route, or a whole controller, only to tokens that are bound to a key and come with a proof by that key (RFC 9449). */
export const RequireDpop = (): MethodDecorator & ClassDecorator => SetMetadata(REQUIRED_DPOP, true);

/** The caller, as a parameter of a handler. Only on guarded routes. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { [PRINCIPAL]: principal } = context.switchToHttp().getRequest<{ [PRINCIPAL]?: Principal }>();
  if (!principal)
    throw new Error('@CurrentPrincipal() on a route that is @Public(): nobody is there to name');
  return principal;
});
