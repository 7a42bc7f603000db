import type { Challenge } from './bearer-error.js';

export interface GuardOptions extends Challenge {
  /** Who tokens must be for (RFC 9068 §2.2 `aud`). Without it, every token of the authority is good here. */
  readonly audience?: string;
}

export const GUARD_OPTIONS = Symbol('keks:guard-options');
