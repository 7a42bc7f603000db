/** One partition: `from` inclusive, `to` exclusive, named by its first day, `YYYYMMDD` (UTC). */
export interface Range {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}

/** The days that overlap the time from `start` to `end`, both in milliseconds since the epoch. */
export function daysFrom(start: number, end: number): Range[] {
  return ranges(start, end, (at, step) =>
    Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + step),
  );
}

/** The months that overlap the time from `start` to `end`, both in milliseconds since the epoch. */
export function monthsFrom(start: number, end: number): Range[] {
  return ranges(start, end, (at, step) => Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + step, 1));
}

function ranges(start: number, end: number, boundary: (at: Date, step: number) => number): Range[] {
  const found: Range[] = [];
  for (let from = boundary(new Date(start), 0); from <= end; from = boundary(new Date(from), 1)) {
    const name = new Date(from).toISOString().slice(0, 10).replaceAll('-', '');
    found.push({ name, from: new Date(from), to: new Date(boundary(new Date(from), 1)) });
  }
  return found;
}
