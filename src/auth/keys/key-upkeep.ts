import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { auditValues, INSERT_AUDIT_EVENT } from '../audit/audit-event.js';
import { OPERATOR } from '../request-origin.js';
import { SecretKeyRegister } from '../secrets/secret-key-register.js';
import { KeyCipher } from './key-cipher.js';
import { KeyRing } from './key-ring.js';
import { DELETE_SIGNING_KEYS, RESEAL_SIGNING_KEY } from './signing-key.sql.js';
import type { Statement } from '../../database/statement.js';

/** Retired keys stay this long in the table, for whoever wonders where one has gone. */
const REST_MS = 7 * 86_400_000;

/** Private keys at rest: sealed anew when SECRET_KEY has changed, deleted when they are over. */
@Injectable()
export class KeyUpkeep {
  constructor(
    private readonly database: Database,
    private readonly ring: KeyRing,
    private readonly cipher: KeyCipher,
    private readonly clock: Clock,
    private readonly secretKeys: SecretKeyRegister,
  ) {}

  /**
   * Notes which key this instance makes with; where that is the newest, the others are needed less. Of several instances
   * at once one does it. @throws Unavailable
   */
  async reseal(): Promise<void> {
    if (!(await this.secretKeys.moves())) return;
    for (const { kid, sealed } of this.ring.all()) {
      const plaintext = this.cipher.isCurrent(sealed) ? undefined : this.cipher.open(sealed, kid);
      if (plaintext)
        await this.change('key.resealed', RESEAL_SIGNING_KEY, [
          kid,
          this.cipher.seal(plaintext, kid),
          sealed,
        ]);
    }
  }

  /** @throws Unavailable */
  async purge(): Promise<void> {
    const before = this.clock.now() - REST_MS;
    if (this.ring.all().some((key) => key.retiresAt <= before))
      await this.change('key.deleted', DELETE_SIGNING_KEYS, [new Date(before)]);
  }

  /** The statement answers the `kid` of each row that it changed. */
  private change(event: string, statement: Statement, values: readonly unknown[]): Promise<void> {
    return this.database.transaction(async (queries) => {
      for (const detail of await queries.run<{ kid: string }>(statement, values))
        await queries.run(
          INSERT_AUDIT_EVENT,
          auditValues(this.clock, { type: event, origin: OPERATOR, actor: 'keks', detail }),
        );
    });
  }
}
