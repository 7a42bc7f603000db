import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import type { RefusalReason } from '../../guard/token-validator.js';
import { JwtReader } from '../keys/jwt.reader.js';
import { NO_EXPIRY, parseToken, type TokenKind } from './token-format.js';
import { TokenKeys } from './token-keys.js';

/** A token that this authority made and that has not expired. Whether it still counts, the database knows. */
export interface ReadToken {
  readonly kind: TokenKind;
  readonly format: 'opaque' | 'jwt';
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  /** What the database knows it by: SHA-256 of an opaque token, or of a JWT's `jti`. */
  readonly digest: Buffer;
  /** A JWT's own id, which the database knows only by its digest. */
  readonly jti?: string;
  /** Whom a JWT says that it is for; of an opaque token only the database knows. */
  readonly audience?: string;
}

/** Here it is always known why. */
export type Refusal = Exclude<RefusalReason, 'inactive'>;
/** `was`: a JWT that has expired and was genuine, for those who ask about the past. */
export type Reading = ReadToken | { readonly refused: Refusal; readonly was?: ReadToken };

/** From the text of a token to what stands in the database: everything that can be decided without asking it. */
@Injectable()
export class TokenReader {
  constructor(
    private readonly keys: TokenKeys,
    private readonly jwts: JwtReader,
    private readonly clock: Clock,
  ) {}

  /** @throws Unavailable when the keys for a JWT's signature could not be read */
  read(token: string): Reading | Promise<Reading> {
    if (token.includes('.')) return this.jwts.read(token);
    const parsed = parseToken(token, this.keys);
    if (!parsed.genuine) return { refused: parsed.flaw === 'spelling' ? 'malformed' : 'forged' };
    const { kind, expiresAt, digest } = parsed;
    if (expiresAt !== NO_EXPIRY && isOver(expiresAt, this.clock)) return { refused: 'expired' };
    return { kind, format: 'opaque', expiresAt, digest };
  }
}

/** Not accepted on or after its expiry, without leeway (RFC 7519 §4.1.4). */
export function isOver(expiresAt: number, clock: Clock): boolean {
  return expiresAt * 1_000 <= clock.now();
}
