import type { Misaddressed } from './misaddressed.js';
import type { Principal } from './claims.js';

/** Why a token is refused. For log, metric and audit; never sent to the caller, who gets the same answer for all reasons. */
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
  /** Over HTTP an authority says no more than this (RFC 7662 §2.2). */
  | 'inactive';

/** A verdict is a value. Exceptions are for infrastructure only. */
export type Validation =
  | { readonly active: true; readonly principal: Principal }
  | {
      readonly active: false;
      readonly reason: RefusalReason;
      /**
       * Only with `wrong_audience`, if the token is good otherwise: for the log of the API's operator, never sent to the caller.
       */
      readonly misaddressed?: Misaddressed;
    };

/** The port between an API and the side that knows about tokens: in process, over HTTP, or by signature alone. */
export abstract class TokenValidator {
  /**
   * @param token as the client sent it, `b64token` (RFC 6750 §2.1)
   * @param traceparent of the request that brought it, unchecked (W3C Trace Context §3.2)
   * @throws when no verdict could be reached: the guard then answers 503, never 401
   */
  abstract validate(token: string, traceparent?: string): Promise<Validation>;

  /**
   * Optional. A verdict that needs no waiting: it must be the one that `validate` would give now.
   * @returns undefined if only `validate` can tell
   */
  verdictAtOnce?(token: string): Validation | undefined;
}
