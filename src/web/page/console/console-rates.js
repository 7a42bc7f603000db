/** What happened between two answers of one instance. Counts are since its start, so differences are all there is to it. */

/**
 * @param before an earlier answer of the same instance
 * @returns a second: `issued`, `validated`, `refused` and each of `reasons`; `p99` in seconds, undefined without requests
 */
export function ratesOf(before, after) {
  const seconds = after.uptime - before.uptime;
  const rate = (from, to) => (to - from) / seconds;
  const reasons = Object.fromEntries(
    Object.entries(after.refused).map(([reason, count]) => [
      reason,
      rate(before.refused[reason] ?? 0, count),
    ]),
  );
  return {
    issued: rate(sum(before.issued), sum(after.issued)),
    validated: rate(before.validated, after.validated),
    refused: rate(sum(before.refused), sum(after.refused)),
    reasons,
    p99: quantile(
      0.99,
      after.requests.bounds,
      after.requests.counts.map((count, at) => count - before.requests.counts[at]),
    ),
  };
}

export function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/**
 * As Prometheus estimates it: values are spread evenly within their bucket.
 * @param counts one a bound, and one for what is beyond the last, for which the last bound is answered
 */
export function quantile(share, bounds, counts) {
  const total = sum(counts);
  if (total === 0) return undefined;
  let left = share * total;
  for (const [at, upper] of bounds.entries()) {
    if (left <= counts[at]) {
      const lower = bounds[at - 1] ?? 0;
      return lower + (upper - lower) * (left / counts[at]);
    }
    left -= counts[at];
  }
  return bounds.at(-1);
}
