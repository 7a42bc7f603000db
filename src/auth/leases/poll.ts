import { RecentRevocations, type Revocation } from './recent-revocations.js';
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

/** What a guard asks. */
export interface Question {
  readonly guard: string;
  readonly from: Position;
  /** The digest of the secret that it has shown, if it has one. */
  readonly proof: Buffer | undefined;
}

/** A guard's question, until it is answered. */
export interface Poll extends Question {
  readonly askedAt: number;
  /** Its guard holds no lease of this instance. */
  readonly isNew: boolean;
  /** Answered by then, also if there is nothing new. */
  readonly due: number;
  readonly resolve: (news: News) => void;
  readonly reject: (fault: unknown) => void;
}

/** Nothing is kept before somebody asks; then what the one that is furthest behind has not seen. Nobody is ahead of `applied`. */
export function recentFor(
  polls: readonly Poll[],
  { place, applied }: { readonly place: string; readonly applied: Snapshot },
  most: number,
): RecentRevocations {
  const known = polls.filter(({ from }) => from.place === place);
  const since = known.reduce((all, { from }) => all.meet(from.snapshot), applied);
  return new RecentRevocations(place, since, most);
}
