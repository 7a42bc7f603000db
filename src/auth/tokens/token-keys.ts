import { Inject, Injectable } from '@nestjs/common';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, secretKeyId, type SecretKeysConfig } from '../secrets/secret-keys.js';
import { TokenMac } from './token-mac.js';

/** A key that makes and checks the MAC of opaque tokens. Each token carries the `id` of its key. */
export interface TokenKey {
  readonly id: number;
  /** Names the key in the database, where one byte is not enough. */
  readonly keyId: string;
  readonly mac: KeyObject;
  /** The same key, to check MACs with. */
  readonly check: TokenMac;
}

/** The current key makes MACs; the others, if any, only check them. */
@Injectable()
export class TokenKeys {
  readonly current: TokenKey;
  readonly all: readonly TokenKey[];

  constructor(@Inject(CONFIG) config: SecretKeysConfig) {
    const [making, ...previous] = acceptedSecrets(config);
    this.current = tokenKey(making);
    this.all = [this.current, ...previous.map(tokenKey)];
  }
}

function tokenKey(secret: Buffer): TokenKey {
  const mac = derivedKey(secret, 'token-mac');
  return {
    id: derivedKey(secret, 'key-id', 1).readUInt8(0),
    keyId: secretKeyId(secret),
    mac: createSecretKey(mac),
    check: new TokenMac(mac),
  };
}
