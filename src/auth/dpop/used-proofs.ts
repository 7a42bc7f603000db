import { Injectable } from '@nestjs/common';
import { ProofMemory } from 'keks-guard';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { byteaArray, timestampArray } from '../../database/hot/binary-arrays.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import type { Statement } from '../../database/statement.js';

interface Use {
  /** 32 bytes. */
  readonly proof: Buffer;
  /** Whole seconds since the epoch. */
  readonly until: number;
}

/**
 * The index lets each proof in once, whoever tries. Rows go in by the order of their digests, or two batches with the
 * same proofs could wait for each other. Each statement also deletes a few expired rows, so the table stays small.
 */
const USE_PROOFS: Statement = {
  name: 'use_proofs',
  text: `
    WITH over AS (
      DELETE FROM used_proofs WHERE digest IN (
        SELECT digest FROM used_proofs WHERE expires_at < $3 ORDER BY expires_at LIMIT $4 FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO used_proofs (digest, expires_at)
    SELECT DISTINCT ON (digest) digest, expires_at FROM unnest($1::bytea[], $2::timestamptz[]) AS one (digest, expires_at)
     ORDER BY digest
    ON CONFLICT DO NOTHING
    RETURNING encode(digest, 'hex') AS digest`,
};

/**
 * Remembers used proofs in PostgreSQL, so that each counts once across all instances. Proofs that come together share a
 * statement. The table is unlogged, so no statement waits for the disk.
 */
@Injectable()
export class UsedProofs extends ProofMemory {
  private readonly batch = new MicroBatch<Use, boolean>((uses) => this.record(uses), {
    name: 'remember proofs',
    size: 128,
    flights: 2,
    queue: 10_000,
  });

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** @throws Unavailable */
  override isFirst(proof: Buffer, until: number): Promise<boolean> {
    return this.batch.ask({ proof, until: Math.ceil(until / 1_000) });
  }

  private async record(uses: readonly Use[]): Promise<boolean[]> {
    const rows = await this.database.run<{ digest: string }>(USE_PROOFS, [
      byteaArray(uses.map(({ proof }) => proof)),
      timestampArray(uses.map(({ until }) => until)),
      new Date(this.clock.now()),
      2 * uses.length + 10,
    ]);
    const recorded = new Set(rows.map(({ digest }) => digest));
    // if a batch has the same proof several times, only one of them is the first
    return uses.map(({ proof }) => recorded.delete(proof.toString('hex')));
  }
}
