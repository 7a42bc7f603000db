/** A figure from several rounds: what stands in the middle, and how far apart they were. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: readonly number[];
}

export function figure(rounds: readonly number[]): Figure {
  const sorted = [...rounds].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
  return { median, low: sorted[0]!, high: sorted.at(-1)!, rounds };
}

/** Round by round, so that what disturbs a whole round disturbs both sides of it. */
export function ratio(of: readonly number[], to: readonly number[]): Figure {
  return figure(of.map((value, round) => value / to[round]!));
}
