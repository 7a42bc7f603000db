import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { ALG } from '../keys/es256-key.js';
import { SigningKeys } from '../keys/signing-keys.js';
import type { ClaimedRow, EventRow } from './deliveries.sql.js';
import { securityEvent } from './security-event.js';

/** For as long as this the key has to be published: a receiver may look at what it has taken a little later. */
const LOOKED_AT_MS = 3_600_000;

/** Owns what an event looks like on the way: a JWT by the keys of the JWKS, and by its `typ` no token. */
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
