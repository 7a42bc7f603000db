import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from 'keks-guard';
import { PRINCIPAL } from 'keks-guard/internals';
import { originOf, type HttpRequest, type RequestOrigin } from './request-origin.js';

/** The caller of a request, and where the request came from. */
export interface Caller {
  readonly principal: Principal;
  readonly origin: RequestOrigin;
}

/** A parameter of a handler: where the request came from. */
export const CurrentOrigin = createParamDecorator((_: unknown, context: ExecutionContext): RequestOrigin =>
  originOf(context.switchToHttp().getRequest<HttpRequest>()),
);

/**
 * A parameter of a handler: the caller. Only on guarded routes. `Actors` reads the caller's name for the audit log from
 * the database; a handler asks for it only when it knows that the request is good.
 */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<HttpRequest & { [PRINCIPAL]?: Principal }>();
  const { [PRINCIPAL]: principal } = request;
  if (!principal) throw new Error('@CurrentCaller() on a route that is @Public(): nobody is there to name');
  return { principal, origin: originOf(request) };
});
