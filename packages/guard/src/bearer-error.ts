import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** What a guarded route can answer instead of its handler: status and the one constant sentence of each. */
export const BEARER_ERRORS = {
  unauthorized: [
    401,
    'A bearer token is needed: get one from the authority with POST /issue and send it in the Authorization header, after the word Bearer.',
  ],
  invalid_request: [
    400,
    'The Authorization header must be one line of the form Bearer, a space, the token; and the token must be nowhere else.',
  ],
  invalid_token: [401, 'The token is expired, revoked or not valid here.'],
  insufficient_scope: [403, 'The token is valid but does not carry the scope that this address needs.'],
  temporarily_unavailable: [503, 'The token could not be checked right now: try again shortly.'],
} as const satisfies Record<string, readonly [number, string]>;

export type BearerErrorCode = keyof typeof BEARER_ERRORS;

/** The challenge's fixed part. All of it comes from configuration, never from the request. */
export interface Challenge {
  readonly realm: string;
  /** Absolute URL of the RFC 9728 document, where there is one. */
  readonly resourceMetadata?: string | undefined;
}

/** RFC 6750 §3.1: three errors, and the plain challenge that names none. And 503, which is no verdict. */
export class BearerError extends HttpException {
  readonly challenge: string | undefined;
  /** What goes with it on the wire. */
  readonly headers: Readonly<Record<string, string>>;

  /** @param scope what the route wants, said with `unauthorized` and `insufficient_scope` */
  constructor(
    readonly code: BearerErrorCode,
    challenge: Challenge,
    scope: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    const [status, description] = BEARER_ERRORS[code];
    // the guard throws one many times: what a filter of the API's own adds to it must not reach the next caller
    super(Object.freeze({ error: code, error_description: description }), status, options);
    this.challenge =
      code === 'temporarily_unavailable' ? undefined : challengeHeader(code, description, challenge, scope);
    this.headers = Object.freeze({
      'Cache-Control': 'no-store',
      ...(this.challenge === undefined ? { 'Retry-After': '1' } : { 'WWW-Authenticate': this.challenge }),
    });
  }
}

function challengeHeader(
  code: BearerErrorCode,
  description: string,
  challenge: Challenge,
  scope: readonly string[],
): string {
  const parts = [`Bearer realm=${quoted(challenge.realm)}`];
  if (code !== 'unauthorized')
    parts.push(`error=${quoted(code)}`, `error_description=${quoted(description)}`);
  if (scope.length > 0 && (code === 'unauthorized' || code === 'insufficient_scope'))
    parts.push(`scope=${quoted(scope.join(' '))}`);
  if (challenge.resourceMetadata) parts.push(`resource_metadata=${quoted(challenge.resourceMetadata)}`);
  return parts.join(', ');
}

/** quoted-string of RFC 9110 §5.6.4. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** BearerError -> status, `WWW-Authenticate`, body. Works on every adapter that Nest has. */
@Catch(BearerError)
export class BearerErrorFilter implements ExceptionFilter<BearerError> {
  constructor(private readonly adapters: HttpAdapterHost) {}

  catch(error: BearerError, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapters;
    const response: unknown = host.switchToHttp().getResponse();
    for (const [name, value] of Object.entries(error.headers)) httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, error.getResponse(), error.getStatus());
  }
}
