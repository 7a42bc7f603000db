import { describe, expect, it } from 'vitest';

interface Numbers {
  readonly uptime: number;
  readonly issued: Readonly<Record<string, number>>;
  readonly validated: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly requests: { readonly bounds: readonly number[]; readonly counts: readonly number[] };
}

interface Rates {
  readonly issued: number;
  readonly validated: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly p99: number | undefined;
}

/** A script of the console, which has no types. */
const PATH = '../../src/web/page/console/console-rates.js';
const { quantile, ratesOf } = (await import(PATH)) as {
  quantile(share: number, bounds: readonly number[], counts: readonly number[]): number | undefined;
  ratesOf(before: Numbers, after: Numbers): Rates;
};

const numbers = (change: Partial<Numbers>): Numbers => ({
  uptime: 10,
  issued: { login: 1, refresh: 0 },
  validated: 5,
  refused: { revoked: 2, expired: 0 },
  requests: { bounds: [0.1, 0.5], counts: [8, 0, 0] },
  ...change,
});

describe('the numbers of the console', () => {
  it('are differences a second, between two answers', () => {
    const after = numbers({
      uptime: 12,
      issued: { login: 3, refresh: 4 },
      validated: 25,
      refused: { revoked: 3, expired: 4 },
      requests: { bounds: [0.1, 0.5], counts: [8, 10, 0] },
    });
    const { p99, ...rates } = ratesOf(numbers({}), after);
    expect(rates).toEqual({
      issued: 3,
      validated: 10,
      refused: 2.5,
      reasons: { revoked: 0.5, expired: 2 },
    });
    // what was answered before is not in it
    expect(p99).toBeCloseTo(0.496);
  });

  it('tell no duration without a request', () => {
    expect(ratesOf(numbers({}), numbers({ uptime: 12 })).p99).toBeUndefined();
  });

  it.each([
    [0.5, [10, 0, 0], 0.05],
    [0.99, [99, 1, 0], 0.1],
    [0.99, [0, 100, 0], 0.496],
    [0.5, [50, 50, 0], 0.1],
    [0.75, [50, 50, 0], 0.3],
    // beyond the last bound nothing is known but that
    [0.99, [0, 0, 7], 0.5],
  ])('quantile %d of %j is %d', (share, counts, expected) => {
    expect(quantile(share, [0.1, 0.5], counts)).toBeCloseTo(expected);
  });
});
