import { spawnSync } from 'node:child_process';

/** The program compiled: these tests look at a real server and need no database of the run's own. */
export function setup(): void {
  const build = spawnSync(process.execPath, ['scripts/build.mjs', '--fast'], { stdio: 'inherit' });
  if (build.status !== 0) throw new Error('the program does not compile');
}
