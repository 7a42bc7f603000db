import type { RefusalReason } from 'keks-guard';
import type { Clock } from '../../database/clock.js';
import type { TokenKind } from './token-format.js';

/**
 * A token that this authority made; not expired, except in `was`. Only the database knows whether it is still valid.
 */
export interface ReadToken {
  readonly kind: TokenKind;
  readonly format: 'opaque' | 'jwt';
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  /** The token's key in the database: SHA-256 of an opaque token, or of the `jti` of a JWT. */
  readonly digest: Buffer;
  /** The id of a JWT. The database stores only its digest. */
  readonly jti?: string;
  /** The audience of a JWT. Only the database knows the audience of an opaque token. */
  readonly audience?: string;
}

/** Why a token is refused. The authority always knows the reason, so `inactive` never occurs here. */
export type Refusal = Exclude<RefusalReason, 'inactive'>;

/** `was` is a genuine JWT that has expired, for callers that explain why it is refused. */
export type Reading = ReadToken | { readonly refused: Refusal; readonly was?: ReadToken };

/** Whether a token has expired: from the second of its expiry on, without leeway (RFC 7519 §4.1.4). */
export function isOver(expiresAt: number, clock: Clock): boolean {
  return expiresAt * 1_000 <= clock.now();
}
