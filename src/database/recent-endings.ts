import pLimit from 'p-limit';
import type { Queries, Statement } from './statement.js';

const KEPT_MS = 600_000;
const TIDIED_MS = 60_000;
/** Some 20 MB at worst. */
const KEPT_MOST = 50_000;
const AT_ONCE = 4;

interface Ending {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  readonly at: number;
}

export interface Repeated {
  /** How many had been lost, at least in part. */
  readonly lost: number;
}

/**
 * What this process has ended and acknowledged in the last ten minutes, and what it has heard of others: an asynchronous
 * standby that has become the primary may know nothing of it.
 */
export class RecentEndings {
  private kept: Ending[] = [];
  private timeline: number | undefined;
  private tidiedAt = -Infinity;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Once it is committed. */
  note(statement: Statement, values: readonly unknown[], rows: number): void {
    const { again } = statement;
    if (!again || (again !== 'same' && again.ifRows && rows === 0)) return;
    const at = this.now();
    this.kept.push({ statement, values, at });
    // now and then, and not with each one
    if (this.kept.length > KEPT_MOST + KEPT_MOST / 10 || at > this.tidiedAt + TIDIED_MS) this.forget();
  }

  /**
   * @param timeline of the primary, which each promotion makes grow
   * @returns undefined if there is nothing to do; what fails is to be tried again
   */
  async repeatAfter(timeline: number, queries: Queries): Promise<Repeated | undefined> {
    const known = this.timeline ?? timeline;
    this.timeline ??= timeline;
    if (timeline === known) return undefined;
    this.forget();
    const limit = pLimit(AT_ONCE);
    const endings = [...this.kept];
    const lost = await Promise.all(endings.map((ending) => limit(() => repeat(ending, queries))));
    this.timeline = timeline;
    return { lost: lost.filter(Boolean).length };
  }

  private forget(): void {
    this.tidiedAt = this.now();
    const since = this.now() - KEPT_MS;
    this.kept = this.kept.filter(({ at }) => at >= since).slice(-KEPT_MOST);
  }
}

/** @returns whether there was anything left to end */
async function repeat({ statement, values }: Ending, queries: Queries): Promise<boolean> {
  const { again } = statement;
  if (again === 'same' || !again) return (await queries.run(statement, values)).length > 0;
  const taken = values.slice(0, again.parameters);
  for (let lost = false; ; lost = true) {
    const rows = await queries.run(again.statement, taken);
    if (rows.length < again.step) return lost || rows.length > 0;
  }
}
