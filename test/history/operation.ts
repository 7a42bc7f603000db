/** Of what is bound to a key: how it is shown. `overheard` is a proof that others may have used already. */
export type Proof = 'own' | 'other' | 'none' | 'overheard';

export interface Made {
  readonly access: string;
  readonly refresh?: string;
  readonly bound: boolean;
}

/** What was asked, and what came back. Times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly kind: Kind;
  /** Which server was asked. */
  readonly server: number;
  /** The token or the code in question; for what makes tokens, the one that was presented, if any. */
  readonly token: string | undefined;
  /** All that ends with it. */
  readonly tokens?: readonly string[];
  readonly proof?: Proof | undefined;
  readonly invoked: number;
  /** undefined if no answer came: it may or may not have happened. */
  readonly completed: number | undefined;
  readonly status: number | undefined;
  /** As OAuth 2 names it. */
  readonly error?: string | undefined;
  readonly made?: Made | undefined;
}

/** The answers that there may be. */
export const ALLOWED = {
  issue: [200, 503],
  login: [200, 503],
  // of one that has ended meanwhile
  exchange: [200, 400, 503],
  validate: [200, 401, 503],
  revoke: [200, 503],
  end: [204, 503],
  refresh: [200, 400, 503],
  code: [200, 400, 503],
  device: [200, 400, 503],
  // the second one is told that there is nothing left to end
  withdraw: [204, 404, 503],
  // of one whose password is being changed
  'own login': [200, 401, 503],
  key: [201, 401, 503],
  password: [204, 401, 503],
} satisfies Record<string, readonly number[]>;

export type Kind = keyof typeof ALLOWED;

/** By which answers something has ended, beside the second use of a code or of a refresh token. */
export const ENDED: Partial<Record<Kind, readonly number[]>> = {
  revoke: [200],
  end: [204],
  withdraw: [204, 404],
};
