import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/**
 * With `PROFILE`, the name of a file, SIGUSR2 begins a CPU profile of this process, and SIGUSR2 again ends and writes it.
 */
export async function profileOnSignal(): Promise<void> {
  const { PROFILE } = process.env;
  if (PROFILE === undefined) return;
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 250 });
  process.once('SIGUSR2', () => {
    void session.post('Profiler.start');
    process.once('SIGUSR2', () => {
      void session
        .post('Profiler.stop')
        .then(({ profile }) => writeFileSync(PROFILE, JSON.stringify(profile)));
    });
  });
}
