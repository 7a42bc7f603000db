/** The only type that carries tokens in clear text, on their way to the caller who asked for them. */
export interface IssuedToken {
  readonly token: string;
  /** Whole seconds that it lives from now. */
  readonly expiresIn: number;
  readonly scope: string;
  /** Of one that was asked for with another one: what it is (RFC 8693 §2.2.1). */
  readonly type?: string;
  readonly refresh?: { readonly token: string; readonly expiresIn: number };
}
