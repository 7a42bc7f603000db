/** The only type that carries tokens in clear text, from the issue to the caller who asked for them. */
export interface IssuedToken {
  readonly token: string;
  /** Whole seconds from now until the token expires. */
  readonly expiresIn: number;
  readonly scope: string;
  /** The token type of a token from a token exchange (RFC 8693 §2.2.1, `issued_token_type`). */
  readonly type?: string;
  readonly refresh?: { readonly token: string; readonly expiresIn: number };
}
