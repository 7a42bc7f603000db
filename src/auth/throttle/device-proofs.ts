import { Inject, Injectable } from '@nestjs/common';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

const PREFIX = 'kdp_';
const ID_BYTES = 16;
const FACTS_BYTES = ID_BYTES + 4;
const MAC_BYTES = 16;
const FORM = /^kdp_[A-Za-z0-9_-]{48}$/;
const LIVES_SECONDS = 180 * 86_400;

/**
 * Proves that somebody has logged in under a name before, wherever they are now. It gives no access: a stranger who holds one
 * gets only a separate count of attempts. Nothing is stored; an HMAC binds it to the name.
 */
@Injectable()
export class DeviceProofs {
  private readonly keys: readonly [Buffer, ...Buffer[]];

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) config: SecretKeysConfig,
  ) {
    const [making, ...previous] = acceptedSecrets(config);
    this.keys = [derivedKey(making, 'device'), ...previous.map((secret) => derivedKey(secret, 'device'))];
  }

  /** For somebody who has just proved the password. @param account the folded name */
  make(account: string): string {
    const issued = Buffer.alloc(4);
    issued.writeUInt32BE(this.clock.seconds());
    const facts = Buffer.concat([randomBytes(ID_BYTES), issued]);
    return PREFIX + Buffer.concat([facts, mac(this.keys[0], account, facts)]).toString('base64url');
  }

  /** @returns the key under which failures of this device are counted; undefined if the proof is not valid for this account */
  read(account: string, text: string | undefined): string | undefined {
    if (text === undefined || !FORM.test(text)) return undefined;
    const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
    const facts = bytes.subarray(0, FACTS_BYTES);
    const genuine = this.keys.some((key) =>
      timingSafeEqual(mac(key, account, facts), bytes.subarray(FACTS_BYTES)),
    );
    const age = this.clock.seconds() - facts.readUInt32BE(ID_BYTES);
    return genuine && age < LIVES_SECONDS ? facts.toString('base64url', 0, ID_BYTES) : undefined;
  }
}

function mac(key: Buffer, account: string, facts: Buffer): Buffer {
  const text = JSON.stringify([account, facts.toString('base64url')]);
  return createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES);
}
