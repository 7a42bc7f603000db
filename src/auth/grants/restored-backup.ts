import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { auditValues, INSERT_AUDIT_EVENT } from '../audit/audit-event.js';
import { ToldGuards } from '../leases/told-guards.js';
import { OPERATOR } from '../request-origin.js';
import type { Statement } from '../../database/statement.js';

const STEP = 1_000;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** A step along the primary key: none takes long, and what is made meanwhile is younger anyway. */
const REVOKE_OLDER: Statement = {
  name: 'revoke_older_grants',
  text: `
    WITH step AS (
      SELECT id FROM grants WHERE id > $1 ORDER BY id LIMIT ${STEP}
    ), revoked AS (
      UPDATE grants SET revoked_at = $3, revoked_reason = 'revoked_all' FROM step
       WHERE grants.id = step.id AND grants.created_at < $2 AND grants.revoked_at IS NULL
      RETURNING grants.id
    )
    SELECT (SELECT max(id::text) FROM step) AS last, (SELECT count(*)::int FROM revoked) AS revoked`,
};

/** A restored backup brings back what was revoked since it was made: all of it has to die again. */
@Injectable()
export class RestoredBackup {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
  ) {}

  /**
   * Revokes every login, every API key and every client's tokens that were granted before `before`. Clients and users
   * stay, and can get new ones at once. Safe to repeat.
   * @param progress told how many so far
   * @returns how many grants
   */
  async revokeAll(before: Date, progress: (revoked: number) => void): Promise<number> {
    let total = 0;
    for (let after: string | null = NO_ID; after !== null;) {
      const values: unknown[] = [after, before, new Date(this.clock.now())];
      const [row]: { last: string | null; revoked: number }[] = await this.told.database.run(
        REVOKE_OLDER,
        values,
      );
      total += row?.revoked ?? 0;
      after = row?.last ?? null;
      progress(total);
    }
    const event = { type: 'grants.revoked_all', origin: OPERATOR, detail: { before, grants: total } };
    await this.told.database.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
    await this.told.wait();
    return total;
  }
}
