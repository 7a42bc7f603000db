import type { Poll } from './poll.js';

const GUARDS_MOST = 1_000;
/** A guard may have two open polls: if it asks again, it has given up the poll before, or will soon. */
const POLLS_MOST = 2 * GUARDS_MOST;

/** Owns the polls that are not answered yet. */
export class OpenPolls {
  private readonly polls = new Set<Poll>();

  get size(): number {
    return this.polls.size;
  }

  /** @param holders how many guards may hold a lease */
  hasRoom(isNew: boolean, holders: number): boolean {
    return isNew ? Math.max(this.size, holders) < GUARDS_MOST : this.size < POLLS_MOST;
  }

  get all(): Poll[] {
    return [...this.polls];
  }

  /** `performance.now()` by which the first poll must be answered; Infinity without polls. */
  get firstDue(): number {
    return Math.min(...this.all.map(({ due }) => due));
  }

  of(name: string): Poll[] {
    return this.all.filter(({ guard }) => guard === name);
  }

  has(poll: Poll): boolean {
    return this.polls.has(poll);
  }

  open(poll: Poll): Poll {
    this.polls.add(poll);
    return poll;
  }

  /** @returns whether the poll was open */
  close(poll: Poll): boolean {
    return this.polls.delete(poll);
  }
}
