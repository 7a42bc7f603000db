import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from 'keks-guard';
import { PRINCIPAL } from 'keks-guard/internals';
import { originOf, type HttpRequest, type RequestOrigin } from './request-origin.js';

/** Who asks, and from where. */
export interface Caller {
  readonly principal: Principal;
  readonly origin: RequestOrigin;
}

/** From where a request came, in a handler's parameters. */
export const CurrentOrigin = createParamDecorator((_: unknown, context: ExecutionContext): RequestOrigin =>
  originOf(context.switchToHttp().getRequest<HttpRequest>()),
);

/**
 * Who asks, in a handler's parameters. Only on guarded routes. What the audit log calls them is asked of the database, by
 * `Actors`, and not before the handler knows that the request is good.
 */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<HttpRequest & { [PRINCIPAL]?: Principal }>();
  const { [PRINCIPAL]: principal } = request;
  if (!principal) throw new Error('@CurrentCaller() on a route that is @Public(): nobody is there to name');
  return { principal, origin: originOf(request) };
});
