/**
 * The infrastructure could not answer: a pool without a free connection, a time-out, a database that restarts. On the
 * wire: 503 `temporarily_unavailable` with `Retry-After`. It is never 401 and never `active: false`, because nothing is
 * known about the caller.
 *
 * Any error with a numeric `retryAfter` (seconds) gets the same answer. So rooms that may not import this file can
 * report it too.
 */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable';
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: number = 1;
}
