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
function feed() {
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
    timeoutMs: 60_000,
    now: () => Date.now(),
  });
  const question = async (at: number) => {
    await expect.poll(() => asked.length).toBeGreaterThan(at);
    return asked[at]!;
  };
  return { follower, question };
}

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
