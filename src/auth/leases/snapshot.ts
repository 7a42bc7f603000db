/**
 * A `pg_snapshot` as PostgreSQL writes it: the lowest open transaction, the first id that was not assigned yet, and the
 * open transactions in between.
 */
const SPELLING = /^(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)$/;

/** The highest id, and the bits that are the id within its epoch: 0 is no transaction. */
const LAST = 2n ** 64n - 1n;
const EPOCHLESS = 2n ** 32n - 1n;

/** The transactions that were over at some moment. The snapshot "sees" these transactions. */
export class Snapshot {
  /** The snapshot that sees no transaction. */
  static readonly NOTHING = new Snapshot(1n, []);

  /**
   * @param end the first id that was not assigned yet
   * @param open the transactions before `end` that were open, ascending
   */
  private constructor(
    private readonly end: bigint,
    private readonly open: readonly bigint[],
  ) {}

  static parse(text: string): Snapshot | undefined {
    const [, first, end, open = ''] = SPELLING.exec(text) ?? [];
    if (first === undefined || end === undefined) return undefined;
    const snapshot = new Snapshot(BigInt(end), open === '' ? [] : open.split(',').map(BigInt));
    return snapshot.isPossible(BigInt(first)) ? snapshot : undefined;
  }

  /** Whether PostgreSQL takes it: in order, no id beyond 64 bits, and none that it never assigns. */
  private isPossible(first: bigint): boolean {
    const ids = [first, ...this.open, this.end];
    const inOrder = ids.every((id, at) => {
      const before = ids[at - 1];
      // the lowest open one may come again as the first of the list, and without a list it is the end
      return before === undefined || before < id || (before === id && at === 1);
    });
    return inOrder && ids.every((id) => id <= LAST && (id & EPOCHLESS) !== 0n);
  }

  toString(): string {
    return `${this.open[0] ?? this.end}:${this.end}:${this.open.join(',')}`;
  }

  sees(transaction: bigint): boolean {
    return transaction < this.end && !this.open.includes(transaction);
  }

  /** Whether this snapshot sees every transaction that `other` sees. */
  covers(other: Snapshot): boolean {
    return this.end >= other.end && this.open.every((one) => !other.sees(one));
  }

  /** The snapshot that sees exactly the transactions that both see. */
  meet(other: Snapshot): Snapshot {
    const end = this.end < other.end ? this.end : other.end;
    const open = new Set([...this.open, ...other.open].filter((one) => one < end));
    return new Snapshot(
      end,
      [...open].sort((a, b) => (a < b ? -1 : 1)),
    );
  }
}
