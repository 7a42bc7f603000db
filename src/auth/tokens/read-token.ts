import type { RefusalReason } from 'keks-guard';
import type { Clock } from '../../database/clock.js';
import type { TokenKind } from './token-format.js';

/** A token that this authority made and that has not expired. Only the database knows whether it is still valid. */
export interface ReadToken {
  readonly kind: TokenKind;
  readonly format: 'opaque' | 'jwt';
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  /** Its key in the database: SHA-256 of an opaque token, or of a JWT's `jti`. */
  readonly digest: Buffer;
  /** A JWT's own id, which the database knows only by its digest. */
  readonly jti?: string;
  /** The audience of a JWT; that of an opaque token is known only to the database. */
  readonly audience?: string;
}

/** Here it is always known why. */
export type Refusal = Exclude<RefusalReason, 'inactive'>;

/** `was`: a JWT that has expired and was genuine, for those who ask about the past. */
export type Reading = ReadToken | { readonly refused: Refusal; readonly was?: ReadToken };

/** Not accepted on or after its expiry, without leeway (RFC 7519 §4.1.4). */
export function isOver(expiresAt: number, clock: Clock): boolean {
  return expiresAt * 1_000 <= clock.now();
}
