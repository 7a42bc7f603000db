import { Inject, Injectable } from '@nestjs/common';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { CONFIG, type Config } from '../../config.js';
import { derivedKey } from '../derived-key.js';
import { TokenMac } from './token-mac.js';

/** What makes and checks the MAC of opaque tokens. `id` stands in each token and names the key. */
export interface TokenKey {
  readonly id: number;
  readonly mac: KeyObject;
  /** The same key, for checking. */
  readonly check: TokenMac;
}

/** The current key signs; the previous one, if there is one, is still believed. */
@Injectable()
export class TokenKeys {
  readonly current: TokenKey;
  readonly all: readonly TokenKey[];

  constructor(@Inject(CONFIG) config: Pick<Config, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>) {
    this.current = tokenKey(config.SECRET_KEY);
    this.all = config.SECRET_KEY_PREVIOUS
      ? [this.current, tokenKey(config.SECRET_KEY_PREVIOUS)]
      : [this.current];
  }
}

function tokenKey(secret: Buffer): TokenKey {
  const mac = derivedKey(secret, 'token-mac');
  return {
    id: derivedKey(secret, 'key-id', 1).readUInt8(0),
    mac: createSecretKey(mac),
    check: new TokenMac(mac),
  };
}
