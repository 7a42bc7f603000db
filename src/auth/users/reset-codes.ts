import { Inject, Injectable } from '@nestjs/common';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';
import type { User } from './user.entity.js';

const PREFIX = 'kpr_';
const ID_BYTES = 16;
const EXPIRY_AT = ID_BYTES;
const STATE_AT = EXPIRY_AT + 4;
const STATE_BYTES = 16;
const MAC_AT = STATE_AT + STATE_BYTES;
const MAC_BYTES = 18;
/** 54 bytes: no spare bits, so a code has one spelling. */
const FORM = /^kpr_[A-Za-z0-9_-]{72}$/;

/** What a code is good for: to replace this password, as long as the account does not change. */
export type ResetState = Pick<User, 'id' | 'passwordHash' | 'epoch'>;

export interface ReadCode {
  readonly userId: string;
  /** Its name in the audit log, from which nobody can learn the code. */
  readonly name: string;
  fits(user: ResetState): boolean;
}

/**
 * Codes that let somebody choose a new password, once. Nothing is stored. A code carries a fingerprint of two things: of the
 * password's hash, so it dies when the password changes, which its first use does; and of the user's `epoch`, so it dies when
 * the user is disabled.
 */
@Injectable()
export class ResetCodes {
  private readonly keys: readonly [Buffer, ...Buffer[]];

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) config: SecretKeysConfig,
  ) {
    const [making, ...previous] = acceptedSecrets(config);
    const keyOf = (secret: Buffer): Buffer => derivedKey(secret, 'password-reset');
    this.keys = [keyOf(making), ...previous.map(keyOf)];
  }

  /** @param expiresAt whole seconds since the epoch */
  make(user: ResetState, expiresAt: number): string {
    const [key] = this.keys;
    const expiry = Buffer.alloc(4);
    expiry.writeUInt32BE(expiresAt);
    const facts = Buffer.concat([
      Buffer.from(user.id.replaceAll('-', ''), 'hex'),
      expiry,
      stateOf(key, user),
    ]);
    return PREFIX + Buffer.concat([facts, macOf(key, facts)]).toString('base64url');
  }

  /** Without a query, so that garbage costs none. @returns undefined if the code was not made here or has expired */
  read(text: string): ReadCode | undefined {
    if (!FORM.test(text)) return undefined;
    const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
    const facts = bytes.subarray(0, MAC_AT);
    const key = this.keys.find((one) => timingSafeEqual(macOf(one, facts), bytes.subarray(MAC_AT)));
    if (!key || bytes.readUInt32BE(EXPIRY_AT) <= this.clock.seconds()) return undefined;
    return {
      userId: uuidOf(bytes.toString('hex', 0, ID_BYTES)),
      name: nameOfCode(text),
      fits: (user) => timingSafeEqual(stateOf(key, user), bytes.subarray(STATE_AT, MAC_AT)),
    };
  }
}

/** Sixteen digits of its digest: enough to find both ends of it in the audit log. */
export function nameOfCode(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function stateOf(key: Buffer, { id, passwordHash, epoch }: ResetState): Buffer {
  const text = JSON.stringify(['state', id, passwordHash, epoch]);
  return createHmac('sha256', key).update(text).digest().subarray(0, STATE_BYTES);
}

function macOf(key: Buffer, facts: Buffer): Buffer {
  const text = JSON.stringify(['code', facts.toString('base64url')]);
  return createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES);
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
