import { createHmac } from 'node:crypto';
import { derivedKey } from './derived-key.js';
export interface Pepper {
  readonly id: string;
  readonly key: Buffer;
}

export function pepper(secret: Buffer): Pepper {
  const key = derivedKey(secret, 'pepper', 48);
  return { key, id: createHmac('sha256', key).update('id').digest('hex').slice(0, 8) };
}

/** The eight digits behind `keks1$`, which say which key a stored hash needs. */
export function pepperId(secret: Buffer): string {
  return pepper(secret).id;
}

/** 22 zeros of bcrypt's base64, a salt that is never drawn. It marks an unusable hash, which needs no key. */
export const NO_SALT = '.'.repeat(22);
