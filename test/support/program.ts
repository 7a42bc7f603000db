import { spawnSync } from 'node:child_process';

/** `LOOSE=1 npm test`: the processes that tests start are `dist/src/` file by file, as `npm start` has it. */
const LOOSE = process.env.LOOSE === '1';

const ready = new Set<string>();

/** Brings `dist/` up to date, once a process; the scripts keep two processes apart themselves. */
function script(name: string, ...args: string[]): void {
  if (ready.has(name)) return;
  const { status } = spawnSync(process.execPath, [`scripts/${name}.mjs`, ...args], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`scripts/${name}.mjs failed`);
  ready.add(name);
}

/** The compiled program, file by file: for whoever looks at its files or puts something in their place. */
export function loose(name: 'main' | 'cli'): string {
  script('build', '--fast');
  return `dist/src/${name}.js`;
}

/** The compiled program in few files (scripts/pack.mjs): a start of it costs half as much. */
export function program(name: 'main' | 'cli'): string {
  const file = loose(name);
  if (LOOSE) return file;
  script('pack');
  return `dist/packed/${name}.js`;
}
