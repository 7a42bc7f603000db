/** Who a token speaks for, and what it may do. Times are whole seconds since the epoch. */
export interface Principal {
  /** The user's id, or the client's `client_id` where a client speaks for itself. */
  readonly subject: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly expiresAt: number;
  /** RFC 7519 §4.1.7 `jti`, RFC 7662 §2.2: names the token, and does not help to use it. */
  readonly tokenId: string;
  /**
   * RFC 9449 §6: the thumbprint of the key that the token is bound to. Such a token is good only with a proof by that key, which
   * the guard asks for.
   */
  readonly jkt?: string;
  /**
   * RFC 8693 §4.1: who acts for the subject, by the `sub` of each, the one who does now first; absent for a token that was made from
   * no other one. Only the first one acts: the others tell how it came to that.
   */
  readonly actors?: readonly string[];
  /**
   * Why the token exists: the login, the client or the API key that it belongs to. Known inside the authority only: neither
   * RFC 7662 nor RFC 9068 has a word for it.
   */
  readonly grantId?: string;
  readonly grantKind?: 'login' | 'client' | 'api_key' | 'consent';
}

/** A principal as the authority itself knows it. */
export type GrantedPrincipal = Principal & Required<Pick<Principal, 'grantId' | 'grantKind'>>;
