import { hkdfSync } from 'node:crypto';

/** Derives one key for each purpose, so that no key can be used for another purpose (HKDF-SHA-256, RFC 5869). */
export function derivedKey(
  secret: Buffer,
  purpose:
    | 'token-mac'
    | 'pepper'
    | 'key-encryption'
    | 'cursor'
    | 'successor'
    | 'key-id'
    | 'attempts'
    | 'device'
    | 'form-proof'
    | 'password-reset'
    | 'user-code'
    | 'dpop-nonce'
    | 'demo-api',
  bytes = 32,
): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `keks/1/${purpose}`, bytes));
}
