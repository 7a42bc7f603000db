import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { ALG } from '../keys/es256-key.js';
import { SigningKeys } from '../keys/signing-keys.js';
import type { ClaimedRow, EventRow } from './deliveries.sql.js';
import { securityEvent } from './security-event.js';

/** The key must stay published for this long: a receiver may verify an event some time after it has taken the event. */
const LOOKED_AT_MS = 3_600_000;

/** Owns the form of an event on the wire: a JWT signed with a key of the JWKS. Its `typ` says that it is no token. */
@Injectable()
export class EventSigner {
  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Pick<Config, 'ISSUER'>,
  ) {}

  /** @throws Unavailable when there is no key to sign with */
  async sign(row: EventRow, receiver: ClaimedRow): Promise<string> {
    const { signer, kid } = await this.keys.signer(this.clock.now() + LOOKED_AT_MS);
    const claims = securityEvent(row, receiver, this.config.ISSUER);
    return signer.sign({ ...claims }, { header: { alg: ALG, typ: 'secevent+jwt', kid } });
  }
}
