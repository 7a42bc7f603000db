import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { JwtReader } from './jwt/jwt-reader.js';
import { NO_EXPIRY, parseToken } from './token-format.js';
import { TokenKeys } from './token-keys.js';
import { type Reading, isOver } from './read-token.js';

/** Reads the text of a token and computes its key in the database. Decides everything that needs no look-up. */
@Injectable()
export class TokenReader {
  constructor(
    private readonly keys: TokenKeys,
    private readonly jwts: JwtReader,
    private readonly clock: Clock,
  ) {}

  /** @throws Unavailable if the keys for the signature of a JWT could not be read */
  read(token: string): Reading | Promise<Reading> {
    if (token.includes('.')) return this.jwts.read(token);
    const parsed = parseToken(token, this.keys);
    if (!parsed.genuine) return { refused: parsed.flaw === 'spelling' ? 'malformed' : 'forged' };
    const { kind, expiresAt, digest } = parsed;
    if (expiresAt !== NO_EXPIRY && isOver(expiresAt, this.clock)) return { refused: 'expired' };
    return { kind, format: 'opaque', expiresAt, digest };
  }
}
