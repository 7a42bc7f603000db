import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { audit } from '../audit/audit-event.js';
import { ToldGuards } from '../leases/told-guards.js';
import { OPERATOR } from '../request-origin.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import type { Statement } from '../../database/statement.js';

const STEP = { first: 1_000, least: 20, most: 5_000 };
/** A step that takes longer is cancelled and repeated with fewer rows. So no request waits longer for a row. */
const STEP_MS = 300;
const TRIES = 10;
const PAUSE_MS = 200;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/**
 * One step in the order of the primary key, so that no statement takes long. A step may miss grants that are made
 * meanwhile, but they are too young to be revoked.
 */
const REVOKE_OLDER: Statement = {
  name: 'revoke_some_older_grants',
  text: `
    WITH step AS (
      SELECT id FROM grants WHERE id > $1 ORDER BY id LIMIT $4::int
    ), revoked AS (
      UPDATE grants SET revoked_at = $3, revoked_reason = 'revoked_all' FROM step
       WHERE grants.id = step.id AND grants.created_at < $2 AND grants.revoked_at IS NULL
      RETURNING grants.id
    )
    SELECT (SELECT max(id::text) FROM step) AS last, (SELECT count(*)::int FROM revoked) AS revoked`,
};

const IN_SHORT: Statement = {
  name: 'revoke_older_in_short',
  text: `SELECT set_config('statement_timeout', '${STEP_MS}ms', true)`,
};

interface SteppedRow {
  readonly last: string | null;
  readonly revoked: number;
}

/** Revokes all old grants after a restore: the backup brings back grants that were revoked after it was made. */
@Injectable()
export class RestoredBackup {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
  ) {}

  /**
   * Revokes every login, every API key and every client's tokens that were granted before `before`. Clients and users
   * stay, and can get new ones at once. Safe to repeat.
   * @param progress gets the number of grants revoked so far
   * @returns the number of grants revoked
   */
  async revokeAll(before: Date, progress: (revoked: number) => void): Promise<number> {
    let total = 0;
    let size = STEP.first;
    for (let after: string | null = NO_ID; after !== null;) {
      const began = performance.now();
      const done: { row: SteppedRow | undefined; size: number } = await this.step(after, before, size);
      total += done.row?.revoked ?? 0;
      after = done.row?.last ?? null;
      const quick = performance.now() - began < STEP_MS / 4;
      size = Math.min(STEP.most, quick ? done.size * 2 : done.size);
      progress(total);
    }
    const event = { type: 'grants.revoked_all', origin: OPERATOR, detail: { before, grants: total } };
    await audit(this.told.database, this.clock, event);
    await this.told.wait();
    return total;
  }

  /** Tries a step again with fewer rows if it was cancelled or failed. @throws Unavailable after TRIES attempts */
  private async step(
    after: string,
    before: Date,
    size: number,
  ): Promise<{ row: SteppedRow | undefined; size: number }> {
    for (let tries = 1; ; tries += 1) {
      try {
        const [row] = await this.told.database.transaction(async ({ run }) => {
          await run(IN_SHORT);
          return run<SteppedRow>(REVOKE_OLDER, [after, before, new Date(this.clock.now()), size]);
        });
        return { row, size };
      } catch (error) {
        if (!(error instanceof Unavailable) || tries === TRIES) throw error;
        size = Math.max(STEP.least, Math.floor(size / 2));
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
      }
    }
  }
}
