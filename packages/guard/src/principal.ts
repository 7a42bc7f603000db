import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';

/** Who a token speaks for, and what it may do. Times are whole seconds since the epoch. */
export interface Principal {
  /** The user's id, or the client's `client_id` where a client speaks for itself. */
  readonly subject: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly expiresAt: number;
  /** RFC 7519 §4.1.7 `jti`, RFC 7662 §2.2: names the token, and does not help to use it. */
  readonly tokenId: string;
  /**
   * Why the token exists: the login, the client or the API key that it belongs to. Known inside the authority only: neither
   * RFC 7662 nor RFC 9068 has a word for it.
   */
  readonly grantId?: string;
  readonly grantKind?: 'login' | 'client' | 'api_key';
}

/** A principal as the authority itself knows it. */
export type GrantedPrincipal = Principal & Required<Pick<Principal, 'grantId' | 'grantKind'>>;

export const PUBLIC = Symbol('keks:public');
export const REQUIRED_SCOPE = Symbol('keks:scope');
/** Where the guard leaves the principal on the request. */
export const PRINCIPAL = Symbol.for('keks:principal');

/** Opens a route, or a whole controller, to callers without a token. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

/** What a token must carry to use a route: every one of `scopes`. */
export const RequireScope = (...scopes: [string, ...string[]]): MethodDecorator & ClassDecorator =>
  SetMetadata(REQUIRED_SCOPE, scopes);

/** The caller, in a handler's parameters. Only on guarded routes. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { [PRINCIPAL]: principal } = context.switchToHttp().getRequest<{ [PRINCIPAL]?: Principal }>();
  if (!principal)
    throw new Error('@CurrentPrincipal() on a route that is @Public(): nobody is there to name');
  return principal;
});
