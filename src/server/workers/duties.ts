import type { OpenAPIObject } from '@nestjs/swagger';
import type { PostgresAddress } from '../../database/embedded/embedded-postgres.js';
import type { ServerIdentity } from '../../database/embedded/orphaned-server.js';
import type { Snapshot } from '../../ops/metrics-text.js';

/** What a worker must know before it can start. */
export interface Orders {
  /** Of the embedded database, if there is one. */
  readonly address?: PostgresAddress;
  readonly server?: ServerIdentity;
  /** Whether it is this one that makes the demo user. */
  readonly seeds: boolean;
}

/** What the primary asks of a worker. */
export type WorkerDuties = {
  /** Answered with the port, once it listens. */
  start(orders: Orders): Promise<number>;
  /** It ends when that is done. */
  stop(delayMs: number): void;
  renewCertificate(nothing: null): void;
  /** Fails when it cannot answer requests. */
  checkReadiness(nothing: null): Promise<void>;
  metrics(nothing: null): Promise<Snapshot>;
  /** What Swagger UI on OPS_PORT shows. */
  document(nothing: null): Promise<OpenAPIObject>;
};

/** What a worker asks of the primary. */
export type PrimaryDuties = {
  /** It has loaded its program and listens to the primary. Messages before that would be lost. */
  present(nothing: null): void;
  /** It can no longer work, and a replacement could not either. */
  fail(text: string): void;
  /** The metrics of all processes as one text. */
  metrics(nothing: null): Promise<string>;
};
