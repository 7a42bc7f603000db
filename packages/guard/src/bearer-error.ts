import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { bearerAnswer, type BearerErrorCode, type Challenge, type DpopChallenge } from './bearer-answer.js';

/** A refusal of the guard, as Nest throws it. */
export class BearerError extends HttpException {
  readonly challenge: string | undefined;
  /** What goes with it on the wire. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param scope what the route wants, said with `unauthorized` and `insufficient_scope`
   * @param dpop if a token that is bound to a key is wanted, or came
   */
  constructor(
    readonly code: BearerErrorCode,
    challenge: Challenge,
    scope: readonly string[] = [],
    options?: ErrorOptions & { readonly dpop?: DpopChallenge | undefined },
  ) {
    const answer = bearerAnswer(code, challenge, scope, options?.dpop);
    // the body is frozen: the guard throws one error many times, and what a filter of the API's own adds must not reach the next caller
    super(answer.body, answer.status, options);
    this.challenge = answer.challenge;
    this.headers = answer.headers;
  }
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
