import { afterEach, expect, it, vi } from 'vitest';
import { ManualClock } from './manual-clock.js';

const BEGIN = 1_800_000_000_300;

afterEach(() => vi.useRealTimers());

it('is as far from real time afterwards as before, however long it took, and if it failed', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: BEGIN });
  const clock = new ManualClock();
  clock.advance(0.25);
  await clock.during(() => {
    clock.freeze();
    clock.goTo(clock.seconds() + 3_600);
    vi.setSystemTime(BEGIN + 5_000);
    clock.goTo(clock.seconds() + 1);
    return Promise.resolve();
  });
  expect(clock.now()).toBe(BEGIN + 5_250);
  const failure = clock.during(() => {
    clock.advance(7);
    return Promise.reject(new Error('a test is red'));
  });
  await expect(failure).rejects.toThrow('a test is red');
  vi.setSystemTime(BEGIN + 6_000);
  expect(clock.now()).toBe(BEGIN + 6_250);
});
