import { Inject, Injectable } from '@nestjs/common';
import { DpopVerifier } from 'keks-guard';
import { isPlainAddress } from 'keks-guard/internals';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets } from '../secrets/secret-keys.js';
import { UsedProofs } from './used-proofs.js';

/** Checks proofs for this authority and its own API: for their public addresses, and once across all instances. */
@Injectable()
export class AuthorityProofs extends DpopVerifier {
  constructor(@Inject(CONFIG) config: Config, clock: Clock, memory: UsedProofs) {
    const { ISSUER, AUDIENCE, DPOP_WINDOW, DPOP_REQUIRE_NONCE } = config;
    const secrets = acceptedSecrets(config).map((secret) => derivedKey(secret, 'dpop-nonce'));
    super({
      // the API is at the address in AUDIENCE, if AUDIENCE is an address
      publicUrl: isPlainAddress(AUDIENCE) && AUDIENCE !== ISSUER ? [ISSUER, AUDIENCE] : [ISSUER],
      window: DPOP_WINDOW,
      ...(DPOP_REQUIRE_NONCE && { nonces: { secrets } }),
      memory,
      now: () => clock.now(),
    });
  }
}
