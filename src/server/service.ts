import type { NewAdministrator } from '../auth/users/first-administrator.js';

/** How long a whole stop may take, from the signal on: milliseconds. */
const STOP_LIMIT_MS = 25_000;
/** How long requests in flight have after a long SHUTDOWN_DELAY: milliseconds. */
const FINISH_MS = 20_000;
/** How long a stop waits for requests on OPS_PORT: milliseconds. */
export const OPS_STOP_LIMIT_MS = 1_000;
export const DATABASE_ENDED = 'The embedded database has ended: see postgres.log in DATA_DIR.';

/** Milliseconds from the signal on: a long delay takes nothing from the requests that are in flight at its end. */
export function stopLimit(delayMs: number): number {
  return Math.max(STOP_LIMIT_MS, delayMs + FINISH_MS);
}

/** The administrator that the banner shows; `missing` if there is no administrator and none was made. */
export type OfferedAdministrator = NewAdministrator | 'missing';

/** A running Keks, in one process or in several. */
export interface Service {
  readonly port: number;
  /**
   * Makes an administrator for people who try Keks out and have only the demo user.
   * @param mayBeShown whether only a person sees the printed text; if not, no administrator is made
   */
  offerAdministrator?(mayBeShown: boolean): Promise<OfferedAdministrator | undefined>;
  /** Resolves with the reason if the service can no longer work and should be stopped. */
  readonly failed: Promise<Error>;
  /** Reads the certificate again for new connections. @throws StartRefusal, and the old certificate stays in use */
  reloadCertificate(): void;
  /** Idempotent. @param delayMs how long the service still takes requests, so that a balancer notices: milliseconds */
  stop(delayMs: number): Promise<void>;
}
