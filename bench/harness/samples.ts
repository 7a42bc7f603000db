/** Two samples, compared without a guess at what they are distributed like. */
export interface Comparison {
  /** Kolmogorov and Smirnov: the largest distance of the two empirical distributions, and how likely one as large is by chance. */
  readonly distance: number;
  readonly distanceP: number;
  /** Mann and Whitney: how likely a shift as large is by chance. */
  readonly shiftP: number;
  /** How often one of the first is longer than one of the second: 0.5 if nobody can tell. */
  readonly oftenLonger: number;
}

export function compareSamples(first: readonly number[], second: readonly number[]): Comparison {
  const distance = largestDistance(first, second);
  const { oftenLonger, p } = mannWhitney(first, second);
  return {
    distance,
    distanceP: kolmogorov(distance, first.length, second.length),
    shiftP: p,
    oftenLonger,
  };
}

function largestDistance(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [ascending(first), ascending(second)];
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! <= value) i += 1;
    while (j < b.length && b[j]! <= value) j += 1;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** The asymptotic distribution, with Stephens' correction for samples that are not large. */
function kolmogorov(distance: number, n: number, m: number): number {
  const root = Math.sqrt((n * m) / (n + m));
  const lambda = (root + 0.12 + 0.11 / root) * distance;
  // below this the series needs many terms to say 1
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, sum));
}

/** By the normal approximation, ties corrected for: good from 20 samples on. */
function mannWhitney(
  first: readonly number[],
  second: readonly number[],
): { oftenLonger: number; p: number } {
  const all = [
    ...first.map((value) => ({ value, own: true })),
    ...second.map((value) => ({ value, own: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let [rankSum, ties] = [0, 0];
  for (let from = 0; from < all.length;) {
    let to = from;
    while (to < all.length && all[to]!.value === all[from]!.value) to += 1;
    const [count, rank] = [to - from, (from + 1 + to) / 2];
    ties += count ** 3 - count;
    for (let at = from; at < to; at += 1) if (all[at]!.own) rankSum += rank;
    from = to;
  }
  const [n, m, N] = [first.length, second.length, all.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const deviation = Math.sqrt(((n * m) / 12) * (N + 1 - ties / (N * (N - 1))));
  const z = Math.abs(u - (n * m) / 2) / deviation;
  return { oftenLonger: u / (n * m), p: Math.min(1, 2 * upperTail(z)) };
}

/** Of the standard normal distribution, to 7 digits (Abramowitz and Stegun 26.2.17). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const terms = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const series = terms.reduceRight((sum, term) => (sum + term) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
