/** For whom a token speaks, and what it allows. Times are whole seconds since the epoch. */
export interface Principal {
  /** The user's id, or the client's `client_id` where a client speaks for itself. */
  readonly subject: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly expiresAt: number;
  /** RFC 7519 §4.1.7 `jti`, RFC 7662 §2.2: names the token, but nobody can use the token with it. */
  readonly tokenId: string;
  /**
   * RFC 9449 §6: the thumbprint of the key that the token is bound to. Such a token is good only with a proof by that key; the
   * guard asks for the proof.
   */
  readonly jkt?: string;
  /**
   * RFC 8693 §4.1: who acts for the subject: the `sub` of each actor, the present actor first. Only the first one acts; the
   * others are history. Absent if the token was not made from another token.
   */
  readonly actors?: readonly string[];
  /**
   * The login, the client or the API key that the token belongs to. Known inside the authority only: neither RFC 7662 nor RFC
   * 9068 has a claim for it.
   */
  readonly grantId?: string;
  readonly grantKind?: 'login' | 'client' | 'api_key' | 'consent';
}

/** A principal as the authority itself knows it. */
export type GrantedPrincipal = Principal & Required<Pick<Principal, 'grantId' | 'grantKind'>>;
