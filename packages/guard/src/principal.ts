import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Principal } from './claims.js';

export type { GrantedPrincipal, Principal } from './claims.js';

export const PUBLIC = Symbol('keks:public');
export const REQUIRED_SCOPE = Symbol('keks:scope');
export const REQUIRED_DPOP = Symbol('keks:dpop');
/** Where the guard leaves the principal on the request. */
export const PRINCIPAL = Symbol.for('keks:principal');

/** Opens a route, or a whole controller, to callers without a token. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

/** The scopes that a token must have to use a route: all of `scopes`. */
export const RequireScope = (...scopes: [string, ...string[]]): MethodDecorator & ClassDecorator =>
  SetMetadata(REQUIRED_SCOPE, scopes);

/** Opens a route, or a whole controller, only to tokens that are bound to a key and come with a proof by that key (RFC 9449). */
export const RequireDpop = (): MethodDecorator & ClassDecorator => SetMetadata(REQUIRED_DPOP, true);

/** The caller, as a parameter of a handler. Only on guarded routes. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { [PRINCIPAL]: principal } = context.switchToHttp().getRequest<{ [PRINCIPAL]?: Principal }>();
  if (!principal)
    throw new Error('@CurrentPrincipal() on a route that is @Public(): nobody is there to name');
  return principal;
});
