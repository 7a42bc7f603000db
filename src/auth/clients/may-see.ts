import type { TokenKind } from '../tokens/token-format.js';

interface Caller {
  readonly clientId: string;
  readonly audience: readonly string[];
}

interface Token {
  readonly kind: TokenKind;
  /** The client that it was issued to. */
  readonly clientId: string;
  readonly audience: readonly string[];
}

/** Tokens issued to the caller, and those that are meant for it as an API; a refresh token is meant for no API. */
export function maySee(caller: Caller, token: Token): boolean {
  if (token.clientId === caller.clientId) return true;
  return token.kind !== 'refresh' && token.audience.some((audience) => caller.audience.includes(audience));
}
