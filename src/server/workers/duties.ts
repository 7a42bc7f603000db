import type { OpenAPIObject } from '@nestjs/swagger';
import type { PostgresAddress } from '../../database/embedded/embedded-postgres.js';
import type { ServerIdentity } from '../../database/embedded/orphaned-server.js';
import type { Snapshot } from '../../ops/metrics-text.js';

/** What a worker must know before it can start. */
export interface Orders {
  /** The address of the embedded database, if there is one. */
  readonly address?: PostgresAddress;
  readonly server?: ServerIdentity;
  /** Whether this worker makes the demo user. */
  readonly seeds: boolean;
}

/** What the primary asks of a worker. */
export type WorkerDuties = {
  /** Starts the worker. Answers with the port, once the worker listens. */
  start(orders: Orders): Promise<number>;
  /** Stops the worker: its process exits when the stop is done. */
  stop(delayMs: number): void;
  renewCertificate(nothing: null): void;
  /** Fails if the worker cannot answer requests. */
  checkReadiness(nothing: null): Promise<void>;
  metrics(nothing: null): Promise<Snapshot>;
  /** The document that Swagger UI on OPS_PORT shows. */
  document(nothing: null): Promise<OpenAPIObject>;
};

/** What a worker asks of the primary. */
export type PrimaryDuties = {
  /** The worker has loaded its program and listens to the primary. Messages before that would be lost. */
  present(nothing: null): void;
  /** The worker can no longer work, and a replacement could not either. */
  fail(text: string): void;
  /** The metrics of all processes as one text. */
  metrics(nothing: null): Promise<string>;
};
