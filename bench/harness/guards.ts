import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GuardsReport, GuardsWanted } from './feed-guards.js';

const FILE = fileURLToPath(new URL('./feed-guards.js', import.meta.url));

/** Guards in a process of their own. */
export interface Guards {
  /** What they have done since the last report. */
  report(): Promise<GuardsReport>;
  stop(): Promise<void>;
}

/** @returns when each of them has a lease */
export async function startGuards(wanted: GuardsWanted): Promise<Guards> {
  if (wanted.count === 0)
    return { report: () => Promise.resolve({ polls: 0, cpu: 0 }), stop: () => Promise.resolve() };
  const child = fork(FILE);
  const answer = async (message: GuardsWanted | 'report'): Promise<unknown> => {
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the guards are gone')));
    child.send(message);
    const [answered] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
    ended.catch(() => undefined);
    return answered;
  };
  await answer(wanted);
  return {
    report: async () => (await answer('report')) as GuardsReport,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
