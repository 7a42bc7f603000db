import { hkdfSync } from 'node:crypto';

/** One key a purpose, so that none can be used for another's work (HKDF-SHA-256, RFC 5869). */
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
