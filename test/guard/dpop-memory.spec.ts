import { LocalProofMemory } from 'keks-guard/internals';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

describe('the memory of used proofs in one process', () => {
  const LONGEST = 120_000;

  function memory(entries = 1_000) {
    const time = { now: 5 };
    return { time, memory: new LocalProofMemory(LONGEST, entries, () => time.now) };
  }

  it('knows each of them for as long as it could be accepted, whenever it came', () => {
    for (let late = 0; late < 2 * LONGEST; late += 10_000) {
      const { time, memory: one } = memory();
      const [proof, others] = [randomBytes(32), () => one.isFirst(randomBytes(32))];
      others();
      time.now += late;
      expect(one.isFirst(proof)).toBe(true);
      for (let passed = 0; passed < LONGEST; passed += 7_000) {
        time.now += 7_000 - (passed === 0 ? 1 : 0);
        others();
        if (passed + 7_000 < LONGEST) expect(one.isFirst(proof), `${late} ${passed}`).toBe(false);
      }
    }
  });

  it('forgets them after that, also if nobody comes for a long time', () => {
    const { time, memory: one } = memory(2);
    for (let round = 0; round < 5; round += 1) {
      expect(one.isFirst(randomBytes(32))).toBe(true);
      time.now += 2 * LONGEST;
    }
    time.now += 100 * LONGEST;
    expect(one.isFirst(randomBytes(32))).toBe(true);
  });

  it('gives no verdict on a new one while it is full; of those that it knows it does', () => {
    const { time, memory: one } = memory(2);
    const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    expect([one.isFirst(first), one.isFirst(second)]).toEqual([true, true]);
    expect(() => one.isFirst(third)).toThrow(/remembers/);
    expect(one.isFirst(second)).toBe(false);
    time.now += 2 * LONGEST;
    expect(one.isFirst(third)).toBe(true);
  });
});
