import { Inject, Injectable } from '@nestjs/common';
import { createHmac, randomInt } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

/** RFC 8628 §6.1: no vowels, so that no code is a word, and no digits, so that no two characters look alike. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 9;
const READABLE = new RegExp(`^[${LETTERS}]{${LENGTH}}$`);

/** Owns the spelling of user codes, which people read on one device and type on another; never what they stand for. */
@Injectable()
export class UserCodes {
  private readonly keys: readonly Buffer[];

  constructor(@Inject(CONFIG) config: SecretKeysConfig) {
    this.keys = acceptedSecrets(config).map((secret) => derivedKey(secret, 'user-code'));
  }

  make(): string {
    return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  }

  /** MACs of the code by all accepted keys; new rows get the first. A plain digest of so short a text is reversible. */
  stored(code: string): readonly Buffer[] {
    return this.keys.map((key) => createHmac('sha256', key).update(code).digest());
  }
}

/**
 * Reads a code as people type it. Small letters, dashes, spaces and dots are allowed (RFC 8628 §6.1).
 * @returns undefined if the text can be no code
 */
export function readUserCode(text: string): string | undefined {
  if (text.length > 100) return undefined;
  const code = text.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
  return READABLE.test(code) ? code : undefined;
}

/** In groups of three, so that people keep their place. */
export function shownUserCode(code: string): string {
  return code.replaceAll(/(.{3})(?=.)/g, '$1-');
}
