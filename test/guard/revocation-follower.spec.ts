import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RevocationFollower } from '../../packages/guard/src/revocation-follower.js';

interface Answer {
  readonly cursor: string;
  readonly reset?: boolean;
  readonly more?: boolean;
  readonly lease_ms: number;
  readonly entries?: readonly object[];
}

const NAMES = { jti: 'j', sub: 's', kid: 'k', sid: undefined, exp: 2_000_000_000 };

/** A feed whose answers are let go one by one. */
function feed(timeoutMs = 60_000) {
  const clock = { ahead: 0 };
  const asked: { readonly form: Record<string, string>; answer(answer: Answer): void; fail(): void }[] = [];
  const follower = new RevocationFollower({
    ask: (form) =>
      new Promise((resolve, reject) => {
        asked.push({
          form,
          answer: (answer) => resolve(JSON.stringify({ reset: false, more: false, entries: [], ...answer })),
          fail: () => reject(new Error('away')),
        });
      }),
    timeoutMs,
    now: () => Date.now() + clock.ahead,
  });
  const question = async (at: number) => {
    await expect.poll(() => asked.length).toBeGreaterThan(at);
    return asked[at]!;
  };
  return { follower, question, clock };
}

describe('a guard whose clock was ahead', () => {
  it('asks about tokens whose entries it may have forgotten, after the clock was set back', async () => {
    const soon = Math.floor(Date.now() / 1_000) + 1_800;
    const names = { ...NAMES, exp: soon };
    const { follower, question, clock } = feed();
    clock.ahead = 7_200_000;
    void follower.start();
    (await question(0)).answer({
      ...{ cursor: 'one', lease_ms: 60_000 },
      entries: [{ kind: 'token', key: 'j', exp: soon }],
    });
    const next = await question(1);
    clock.ahead = 0;
    next.answer({ cursor: 'two', lease_ms: 60_000 });
    await question(2);
    expect(follower.judge(names)).not.toBe('not named');
    // of one that lives longer no entry can have been forgotten
    expect(follower.judge({ ...names, jti: 'other', exp: soon + 36_000 })).toBe('not named');
    follower.stop();
  });
});

describe('whoever waits for the first lease', () => {
  it('waits no longer than for an answer', async () => {
    const { follower } = feed(50);
    await follower.start();
    expect(follower.judge(NAMES)).toBe('unknown');
    follower.stop();
  });

  it('does not wait for a guard that has stopped', async () => {
    const { follower } = feed();
    follower.stop();
    await follower.start();
    const other = feed();
    const started = other.follower.start();
    const first = await other.question(0);
    other.follower.stop();
    first.answer({ cursor: 'one', lease_ms: 60_000 });
    await started;
    expect(other.follower.judge(NAMES)).toBe('unknown');
  });
});

describe('a guard that begins again holds no lease until all that it fetches counts', () => {
  const lease = { cursor: 'one', lease_ms: 60_000 };

  it.each([
    ['the answer says so', { cursor: 'two', reset: true, lease_ms: 0 }],
    ['it comes in parts', { cursor: 'two', reset: true, more: true, lease_ms: 0 }],
  ])('when %s: its next question tells what is not in the set by which it judges', async (_, begun) => {
    const { follower, question } = feed();
    void follower.start();
    (await question(0)).answer(lease);
    await expect.poll(() => follower.judge(NAMES)).toBe('not named');
    (await question(1)).answer({
      ...begun,
      entries: [{ kind: 'token', key: 'j', exp: 2_000_000_000 }],
    });
    // from now on the authority may take the entry for applied, and acknowledge the revoke
    expect((await question(2)).form['cursor']).toBe('two');
    expect(follower.judge(NAMES)).toBe('unknown');
    (await question(2)).answer({ cursor: 'three', lease_ms: 60_000 });
    await expect.poll(() => follower.judge(NAMES)).toBe('dead');
    follower.stop();
  });

  it('when it gives up a cursor that only fails', async () => {
    const { follower, question } = feed();
    void follower.start();
    (await question(0)).answer(lease);
    for (let at = 1; at <= 5; at += 1) (await question(at)).fail();
    const anew = await question(6);
    expect(anew.form['cursor']).toBeUndefined();
    anew.answer({ cursor: 'two', lease_ms: 0 });
    await question(7);
    await sleep(0);
    expect(follower.judge(NAMES)).toBe('unknown');
    follower.stop();
  });
});
