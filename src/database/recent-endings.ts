import pLimit from 'p-limit';
import type { Queries, Statement } from './statement.js';

const KEPT_MS = 600_000;
const TIDIED_MS = 60_000;
/** About 20 MB at worst. */
const KEPT_MOST = 50_000;
const AT_ONCE = 4;

interface Ending {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  readonly at: number;
}

export interface Repeated {
  /** The number of endings that the new primary did not have, at least in part. */
  readonly lost: number;
}

/**
 * The endings of the last ten minutes that this process has done and acknowledged, or has heard of from others. An
 * asynchronous standby that becomes the primary may not know them.
 */
export class RecentEndings {
  private kept: Ending[] = [];
  private timeline: number | undefined;
  private tidiedAt = -Infinity;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Call this once the ending is committed. */
  note(statement: Statement, values: readonly unknown[], rows: number): void {
    const { again } = statement;
    if (!again || (again !== 'same' && again.ifRows && rows === 0)) return;
    const at = this.now();
    this.kept.push({ statement, values, at });
    // now and then, not with each ending
    if (this.kept.length > KEPT_MOST + KEPT_MOST / 10 || at > this.tidiedAt + TIDIED_MS) this.forget();
  }

  /**
   * Repeats the endings if the timeline has changed. If one fails, the next call tries all of them again.
   * @param timeline the timeline of the primary; each promotion raises it
   * @returns undefined if there is nothing to do
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
