/**
 * - `unreachable`: no connection, or a connection that broke
 * - `timed_out`: no whole answer in time
 * - `overloaded`: too many questions wait already
 * - `credentials_refused`: the authority does not know this API: its `clientId` or `clientSecret` is wrong
 * - `bad_answer`: any other status, or a body that is not what the RFC says
 */
export type NoVerdictCode = 'unreachable' | 'timed_out' | 'overloaded' | 'credentials_refused' | 'bad_answer';

/**
 * Nobody could find out whether a token is good, so the guard answers 503, never 401. The message is one sentence for the
 * operator of the API: no token, no secret and nothing that came over the wire is in it.
 */
export class NoVerdict extends Error {
  override readonly name = 'NoVerdict';

  constructor(
    readonly code: NoVerdictCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
