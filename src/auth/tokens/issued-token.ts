/** The only type that ever carries a token in clear: on its way to the one who asked for it. */
export interface IssuedToken {
  readonly token: string;
  /** Whole seconds that it lives from now. */
  readonly expiresIn: number;
  readonly scope: string;
}
