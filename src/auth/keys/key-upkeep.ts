import { Injectable } from '@nestjs/common';
import { LessThanOrEqual, type EntityManager } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { audit } from '../audit/audit-event.js';
import { OPERATOR } from '../request-origin.js';
import { SecretKeyRegister } from '../secrets/secret-key-register.js';
import { KeyCipher } from './key-cipher.js';
import { KeyRing } from './key-ring.js';
import { SigningKey } from './signing-key.entity.js';

/** Retired keys stay in the table this long, so that an operator can see where one has gone. */
const REST_MS = 7 * 86_400_000;

/** Looks after stored private keys: seals them anew when SECRET_KEY has changed, and deletes them when they are over. */
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
   * Notes which SECRET_KEY this instance uses. If that is the newest, what an older one has sealed is sealed with it, so that
   * the older one is needed less. If several instances try at once, one does it.
   * @throws Unavailable
   */
  async reseal(): Promise<void> {
    if (!(await this.secretKeys.moves())) return;
    for (const { kid, sealed } of this.ring.all()) {
      const plaintext = this.cipher.isCurrent(sealed) ? undefined : this.cipher.open(sealed, kid);
      if (!plaintext) continue;
      const privateKey = this.cipher.seal(plaintext, kid);
      await this.change('key.resealed', kid, (entities) =>
        entities.update(SigningKey, { kid, privateKey: sealed }, { privateKey }),
      );
    }
  }

  /** @throws Unavailable */
  async purge(): Promise<void> {
    const before = new Date(this.clock.now() - REST_MS);
    for (const { kid, retiresAt } of this.ring.all())
      if (retiresAt <= before.getTime())
        await this.change('key.deleted', kid, (entities) =>
          entities.delete(SigningKey, { kid, retiresAt: LessThanOrEqual(before) }),
        );
  }

  /** If several instances try at once, the one that changes the row writes the event. */
  private change(
    type: string,
    kid: string,
    work: (entities: EntityManager) => Promise<{ affected?: number | null }>,
  ): Promise<void> {
    return this.database.transaction(async (transaction) => {
      const { affected } = await work(transaction.entities);
      if (affected)
        await audit(transaction, this.clock, { type, origin: OPERATOR, actor: 'keks', detail: { kid } });
    });
  }
}
