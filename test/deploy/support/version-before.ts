import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * A state of this tree, from before answers to guards shared an entry of the register (docs/decisions/0062): each end cost two
 * commits more, and nobody could leave.
 */
const COMMIT = process.env.VERSION_BEFORE ?? 'a18ad43';

/** Another version of all of it, compiled, in a folder of its own. */
export interface Version {
  file(path: string): string;
  remove(): void;
}

export const isVersionBeforeKnown =
  spawnSync('git', ['cat-file', '-e', `${COMMIT}^{commit}`], { stdio: 'ignore' }).status === 0;
if (!isVersionBeforeKnown)
  process.stderr.write(`skipped: commit ${COMMIT} is not in this clone (git fetch --unshallow brings it)\n`);

/** With what is installed here: it has not asked for anything else. */
export function versionBefore(): Version {
  const folder = mkdtempSync(join(tmpdir(), 'keks-before-'));
  done('sh', ['-c', `git archive ${COMMIT} | tar -x -C ${folder}`]);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync('node_modules').filter((one) => !['keks-guard', '.bin'].includes(one)))
    symlinkSync(resolve('node_modules', name), join(modules, name));
  symlinkSync(join(folder, 'packages/guard'), join(modules, 'keks-guard'));
  done(process.execPath, ['scripts/build.mjs', '--fast'], folder);
  return {
    file(path) {
      const file = join(folder, path);
      if (!existsSync(file)) throw new Error(`${COMMIT} has no ${path}`);
      return file;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function done(program: string, args: readonly string[], cwd?: string): void {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
