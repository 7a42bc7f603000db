import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { bearerAnswer, type BearerErrorCode, type Challenge, type DpopChallenge } from './bearer-answer.js';

/** A refusal of the guard, as Nest throws it. */
export class BearerError extends HttpException {
  readonly challenge: string | undefined;
  /** The headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param scope what the route wants; `unauthorized` and `insufficient_scope` name it
   * @param dpop given if the route wants a token that is bound to a key, or if such a token came
   */
  constructor(
    readonly code: BearerErrorCode,
    challenge: Challenge,
    scope: readonly string[] = [],
    options?: ErrorOptions & { readonly dpop?: DpopChallenge | undefined },
  ) {
    const answer = bearerAnswer(code, challenge, scope, options?.dpop);
    // the body is frozen: the guard throws the same error many times, and nothing that a filter of the API adds to it may reach
    // the next caller
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
