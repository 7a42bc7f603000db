import { RecentRevocations, type Revocation } from './recent-revocations.js';
import type { Snapshot } from './snapshot.js';

/** What a guard has applied: a place, which names a log, and a snapshot of it. */
export interface Position {
  readonly place: string;
  readonly snapshot: Snapshot;
}

/**
 * The answer to a poll: the revocations that are new to the guard. When the guard has applied them, it has applied all
 * of `position` and may hold a lease of `leaseMs` milliseconds. `too far behind`: the guard must begin again.
 */
export type News =
  | { readonly position: Position; readonly revocations: readonly Revocation[]; readonly leaseMs: number }
  | 'too far behind';

/** The question of a guard. */
export interface Question {
  readonly guard: string;
  readonly from: Position;
  /** The digest of the client secret that the guard has shown, if it has one. */
  readonly proof: Buffer | undefined;
}

/** A question that is not answered yet. Times are `performance.now()`. */
export interface Poll extends Question {
  readonly askedAt: number;
  /** Whether the guard held no lease of this instance when it asked. */
  readonly isNew: boolean;
  /** When the poll must be answered, even if there is nothing new. */
  readonly due: number;
  readonly resolve: (news: News) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Begins to keep revocations when the first guards ask: from what the guard that is furthest behind has seen. While no
 * guard holds a lease, `applied` is the current snapshot, so no guard has seen more.
 */
export function recentFor(
  polls: readonly Poll[],
  { place, applied }: { readonly place: string; readonly applied: Snapshot },
  most: number,
): RecentRevocations {
  const known = polls.filter(({ from }) => from.place === place);
  const since = known.reduce((all, { from }) => all.meet(from.snapshot), applied);
  return new RecentRevocations(place, since, most);
}
