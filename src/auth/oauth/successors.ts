import { Inject, Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';
import { CELL, digestOf, mintToken } from '../tokens/token-format.js';
import { TokenKeys, type TokenKey } from '../tokens/token-keys.js';
import type { RefreshRow } from './refresh.sql.js';

export interface Successor {
  readonly token: string;
  readonly digest: Buffer;
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The successor of a refresh token is derived from the token by HMAC. So a lost answer can be given again although
 * nothing is stored in clear, and nobody without the key can make the successor first.
 */
@Injectable()
export class Successors {
  private readonly derivations: readonly { readonly key: TokenKey; readonly secret: Buffer }[];

  constructor(keys: TokenKeys, @Inject(CONFIG) config: SecretKeysConfig) {
    const secrets = acceptedSecrets(config);
    this.derivations = keys.all.map((key, at) => ({
      key,
      secret: derivedKey(secrets[at] ?? config.SECRET_KEY, 'successor'),
    }));
  }

  /** @param expiresAt whole seconds since the epoch */
  derive(token: string, expiresAt: number): Successor {
    const [current] = this.derivations;
    if (!current) throw new Error('there is always a current key');
    return successor(token, expiresAt, current);
  }

  /** The successor that was given out, whichever key derived it. @returns undefined if no key gives it */
  again(token: string, row: Pick<RefreshRow, 'successor' | 'successor_expires_at'>): Successor | undefined {
    const { successor: beginning, successor_expires_at: expires } = row;
    if (!beginning || !expires) return undefined;
    const expiresAt = Math.floor(expires.getTime() / 1_000);
    return this.derivations
      .flatMap((derivation) => [
        successor(token, expiresAt, derivation),
        // as the version before makes it, which runs beside this one during an upgrade
        successor(token, expiresAt, derivation, 'random cell'),
      ])
      .find((one) => one.digest.subarray(0, beginning.length).equals(beginning));
  }
}

function successor(
  token: string,
  expiresAt: number,
  { key, secret }: { key: TokenKey; secret: Buffer },
  cell?: 'random cell',
): Successor {
  const random = createHmac('sha256', secret).update(token).digest();
  const next = mintToken('krt_', expiresAt, key, random.subarray(1), cell ? random[0] : CELL);
  return { token: next, digest: digestOf(next), expiresAt };
}
