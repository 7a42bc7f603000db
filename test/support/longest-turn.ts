/**
 * The longest that this process's event loop was busy with one thing while `work` was done: milliseconds. Machines take their
 * time in between, so it is the least of several times: what is long by itself is long each time.
 * @param enough not asked again once it was no longer than this
 */
export async function longestTurn(work: () => Promise<unknown>, times: number, enough = 0): Promise<number> {
  let least = Infinity;
  for (let time = 0; time < times && least > enough; time += 1) least = Math.min(least, await once(work));
  return least;
}

async function once(work: () => Promise<unknown>): Promise<number> {
  let worst = 0;
  let running = true;
  let last = performance.now();
  const turn = (): void => {
    const now = performance.now();
    worst = Math.max(worst, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work().finally(() => (running = false));
  turn();
  return worst;
}

/** What takes some twenty milliseconds on a machine of 2024, on this one and now. */
export async function twentyMilliseconds(): Promise<number> {
  return longestTurn(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    let state = 1;
    for (let step = 0; step < 12_000_000; step += 1) state = (Math.imul(state, 48_271) + step) >>> 0;
    if (state === 0.5) throw new Error('never');
  }, 5);
}
