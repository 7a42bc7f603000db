/** As PostgreSQL writes a `pg_snapshot`: lowest that is open, first that is not there yet, which between them are open. */
const SPELLING = /^(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)$/;

/** Which transactions are over, as somebody has seen it. */
export class Snapshot {
  /** That of somebody who has seen nothing. */
  static readonly NOTHING = new Snapshot(1n, []);

  /** @param end the first that is not there yet @param open those before it that are not over, ascending */
  private constructor(
    private readonly end: bigint,
    private readonly open: readonly bigint[],
  ) {}

  static parse(text: string): Snapshot | undefined {
    const [, , end, open = ''] = SPELLING.exec(text) ?? [];
    if (end === undefined) return undefined;
    return new Snapshot(BigInt(end), open === '' ? [] : open.split(',').map(BigInt));
  }

  toString(): string {
    return `${this.open[0] ?? this.end}:${this.end}:${this.open.join(',')}`;
  }

  sees(transaction: bigint): boolean {
    return transaction < this.end && !this.open.includes(transaction);
  }

  /** Whether it sees all that `other` does. */
  covers(other: Snapshot): boolean {
    return this.end >= other.end && this.open.every((one) => !other.sees(one));
  }

  /** What both see. */
  meet(other: Snapshot): Snapshot {
    const end = this.end < other.end ? this.end : other.end;
    const open = new Set([...this.open, ...other.open].filter((one) => one < end));
    return new Snapshot(
      end,
      [...open].sort((a, b) => (a < b ? -1 : 1)),
    );
  }
}
