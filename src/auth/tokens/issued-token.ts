/** The only type that ever carries tokens in clear: on their way to the one who asked for them. */
export interface IssuedToken {
  readonly token: string;
  /** Whole seconds that it lives from now. */
  readonly expiresIn: number;
  readonly scope: string;
  /** Of one that was asked for with another one: what it is (RFC 8693 §2.2.1). */
  readonly type?: string;
  readonly refresh?: { readonly token: string; readonly expiresIn: number };
}
