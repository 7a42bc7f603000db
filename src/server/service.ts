import type { NewAdministrator } from '../auth/users/first-administrator.js';

/** All of a stop, from the signal on: milliseconds. */
export const STOP_LIMIT_MS = 25_000;
/** Who scrapes while the server stops is not waited for longer than this: milliseconds. */
export const OPS_STOP_LIMIT_MS = 1_000;
export const DATABASE_ENDED = 'The embedded database has ended: see postgres.log in DATA_DIR.';

/** Somebody who was made for the banner; `missing` where there is none and none was made. */
export type OfferedAdministrator = NewAdministrator | 'missing';

/** Keks as it runs, in one process or in several: what whoever started it can do with it. */
export interface Service {
  readonly port: number;
  /**
   * For whoever tries Keks out and has nobody but the demo user.
   * @param mayBeShown whether only a person sees what is printed: only then is somebody made
   */
  offerAdministrator?(mayBeShown: boolean): Promise<OfferedAdministrator | undefined>;
  /** Resolves with the reason if it can no longer do its work and should be stopped. */
  readonly failed: Promise<Error>;
  /** Reads the certificate again and uses it for new connections. @throws StartRefusal, and goes on with the old one */
  reloadCertificate(): void;
  /** @param delayMs how long requests are still taken, so that a balancer notices. Idempotent. */
  stop(delayMs: number): Promise<void>;
}
