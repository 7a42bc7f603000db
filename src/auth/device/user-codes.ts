import { Inject, Injectable } from '@nestjs/common';
import { createHmac, randomInt } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

/** RFC 8628 §6.1: no vowels, so that no words come out, and no digits, so that nothing looks like something else. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 9;
const READABLE = new RegExp(`^[${LETTERS}]{${LENGTH}}$`);

/** Owns how codes are spelled that people read from one device and type on another; never what is asked with one. */
@Injectable()
export class UserCodes {
  private readonly keys: readonly Buffer[];

  constructor(@Inject(CONFIG) config: SecretKeysConfig) {
    this.keys = acceptedSecrets(config).map((secret) => derivedKey(secret, 'user-code'));
  }

  make(): string {
    return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  }

  /** As it is stored: so short a text could be found from a mere digest. The first is what new rows get. */
  stored(code: string): readonly Buffer[] {
    return this.keys.map((key) => createHmac('sha256', key).update(code).digest());
  }
}

/**
 * However people type it: small letters, dashes, spaces and dots are forgiven (RFC 8628 §6.1).
 * @returns undefined for what can be no code
 */
export function readUserCode(text: string): string | undefined {
  if (text.length > 100) return undefined;
  const code = text.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
  return READABLE.test(code) ? code : undefined;
}

/** In groups, so that nobody loses the place. */
export function shownUserCode(code: string): string {
  return code.replaceAll(/(.{3})(?=.)/g, '$1-');
}
