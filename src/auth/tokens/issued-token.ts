/** The only type that carries tokens in clear text, on their way to the caller who asked for them. */
export interface IssuedToken {
  readonly token: string;
  /** Whole seconds that it lives from now. */
  readonly expiresIn: number;
  readonly scope: string;
  readonly refresh?: { readonly token: string; readonly expiresIn: number };
}
