import type { OpenAPIObject } from '@nestjs/swagger';
import type { PostgresAddress } from '../../database/embedded/embedded-postgres.js';
import type { ServerIdentity } from '../../database/embedded/orphaned-server.js';
import type { Snapshot } from '../../ops/metrics-text.js';

/** What a worker has to know before it can begin. */
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
  /** It has loaded its program and listens to what it is told, which before would be lost. */
  present(nothing: null): void;
  /** It can no longer do its work, and neither could another one in its place. */
  fail(text: string): void;
  /** The text of all together. */
  metrics(nothing: null): Promise<string>;
};
