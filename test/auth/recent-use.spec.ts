import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RecentUse } from '../../src/auth/grants/recent-use.js';

const NOW = 1_795_000_000;

describe('RecentUse', () => {
  it('is new once, and again when the time is over', () => {
    const recent = new RecentUse(50);
    const id = randomUUID();
    expect(recent.isNew(id, NOW)).toBe(true);
    expect(recent.isNew(id, NOW)).toBe(false);
    expect(recent.isNew(id, NOW + 49)).toBe(false);
    expect(recent.isNew(id, NOW + 50)).toBe(true);
    expect(recent.isNew(id, NOW + 99)).toBe(false);
  });

  it('counts from when it was new, not from the last time it was asked', () => {
    const recent = new RecentUse(50);
    const id = randomUUID();
    for (let second = 0; second < 50; second += 1) expect(recent.isNew(id, NOW + second)).toBe(second === 0);
    expect(recent.isNew(id, NOW + 50)).toBe(true);
  });

  it('is new when the clock was set back', () => {
    const recent = new RecentUse(50);
    const id = randomUUID();
    recent.isNew(id, NOW);
    expect(recent.isNew(id, NOW - 3_600)).toBe(true);
    expect(recent.isNew(id, NOW - 3_599)).toBe(false);
  });

  it.each([
    ['first', (id: string) => `00000000${id.slice(8)}`],
    ['last', (id: string) => `${id.slice(0, 24)}00000000${id.slice(32)}`],
    ['first and last', (id: string) => `00000000${id.slice(8, 24)}00000000${id.slice(32)}`],
  ])('knows ids apart that differ in their %s digits', (_, other) => {
    const recent = new RecentUse(50);
    const id = randomUUID();
    expect(recent.isNew(id, NOW)).toBe(true);
    expect(recent.isNew(other(id), NOW)).toBe(true);
    expect(recent.isNew(other(id), NOW)).toBe(false);
  });

  it('remembers 150,000 ids, all of them, while it grows', () => {
    const recent = new RecentUse(50);
    const ids = Array.from({ length: 150_000 }, () => randomUUID());
    const news = (second: number) => ids.filter((id) => recent.isNew(id, NOW + second)).length;
    expect(news(0)).toBe(150_000);
    expect(news(20)).toBe(0);
    expect(news(60)).toBe(150_000);
  });

  it('goes on for ever in the same room: what is over makes place, and where all are recent it begins again', () => {
    const recent = new RecentUse(50);
    let noted = 0;
    for (let second = 0; second < 200; second += 1)
      for (let at = 0; at < 5_000; at += 1) if (recent.isNew(randomUUID(), NOW + second)) noted += 1;
    expect(noted).toBe(1_000_000);
    const id = randomUUID();
    expect(recent.isNew(id, NOW + 200)).toBe(true);
    expect(recent.isNew(id, NOW + 200)).toBe(false);
  });
});
