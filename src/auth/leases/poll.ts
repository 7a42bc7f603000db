import type { Revocation } from './recent-revocations.js';
import type { Snapshot } from './snapshot.js';

/** What a guard has applied, and where. */
export interface Position {
  readonly place: string;
  readonly snapshot: Snapshot;
}

/** What is new to a guard, after which it has applied all of `position` and may hold a lease. Or: begin again. */
export type News =
  | { readonly position: Position; readonly revocations: readonly Revocation[]; readonly leaseMs: number }
  | 'too far behind';

/** A guard's question, until it is answered. */
export interface Poll {
  readonly guard: string;
  readonly from: Position;
  readonly askedAt: number;
  /** Its guard holds no lease of this instance. */
  readonly isNew: boolean;
  /** Answered by then, also if there is nothing new. */
  readonly due: number;
  readonly resolve: (news: News) => void;
  readonly reject: (fault: unknown) => void;
}
