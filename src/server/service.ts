import type { NewAdministrator } from '../auth/users/first-administrator.js';

/** How long a stop may take in all, from the signal on: milliseconds. */
export const STOP_LIMIT_MS = 25_000;
/** How long a stop waits for requests on OPS_PORT: milliseconds. */
export const OPS_STOP_LIMIT_MS = 1_000;
export const DATABASE_ENDED = 'The embedded database has ended: see postgres.log in DATA_DIR.';

/** The administrator who was made for the banner; `missing` if there is none and none was made. */
export type OfferedAdministrator = NewAdministrator | 'missing';

/** A running Keks, in one process or in several. */
export interface Service {
  readonly port: number;
  /**
   * Makes an administrator for people who try Keks out and have only the demo user.
   * @param mayBeShown whether only a person sees what is printed; if not, none is made
   */
  offerAdministrator?(mayBeShown: boolean): Promise<OfferedAdministrator | undefined>;
  /** Resolves with the reason if it can no longer do its work and should be stopped. */
  readonly failed: Promise<Error>;
  /** Reads the certificate again and uses it for new connections. @throws StartRefusal, and goes on with the old one */
  reloadCertificate(): void;
  /** @param delayMs how long requests are still taken, so that a balancer notices. Idempotent. */
  stop(delayMs: number): Promise<void>;
}
