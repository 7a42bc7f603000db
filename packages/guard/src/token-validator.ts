import type { Principal } from './principal.js';

/** Why a token is refused. For log, metric and audit; never for the wire, where all of them look alike. */
export type RefusalReason =
  | 'malformed'
  | 'forged'
  | 'expired'
  | 'unknown'
  | 'revoked'
  | 'grant_revoked'
  | 'grant_expired'
  | 'wrong_kind'
  | 'wrong_audience'
  /** An authority that was asked over HTTP says no more than this (RFC 7662 §2.2). */
  | 'inactive';

/** A verdict is a value. Exceptions are for infrastructure only. */
export type Validation =
  | { readonly active: true; readonly principal: Principal }
  | { readonly active: false; readonly reason: RefusalReason };

/** The port between an API and whoever knows about tokens: in process, over HTTP, or by signature alone. */
export abstract class TokenValidator {
  /**
   * @param token as the client sent it, `b64token` (RFC 6750 §2.1)
   * @param traceparent of the request that brought it, unchecked (W3C Trace Context §3.2)
   * @throws when no verdict could be reached: the guard then answers 503, never 401
   */
  abstract validate(token: string, traceparent?: string): Promise<Validation>;
}
