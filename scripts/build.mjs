// Compiles what is out of date, says so on stderr, and prints nothing on stdout. `npm start` and `npm run keks` go through it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const guard = join(root, 'packages', 'guard');
/** Its time is when the last build that succeeded began. */
const stamp = join(dist, '.built');
const typescript = installedCompiler();
/** File systems tell the time less exactly than we do. */
const VAGUENESS_MS = 1_000;

/** @returns where its package.json is */
function installedCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/package.json');
  } catch {
    return undefined;
  }
}

/** Whether nothing was changed, added or removed since; asking the compiler costs five times as much. */
function isBuilt() {
  const since = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const single = [
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
    'scripts/lock.mjs',
    'packages/guard/package.json',
    'packages/guard/tsconfig.json',
  ];
  const files = [...single.map((name) => join(root, name)), typescript];
  const folders = ['src', 'migrations', 'packages/guard/src'].map((name) => join(root, name));
  for (const folder of folders) {
    files.push(folder);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isDirectory() || entry.name.endsWith('.ts')) files.push(join(entry.parentPath, entry.name));
  }
  if (!existsSync(join(guard, 'dist'))) return false;
  // the time of the change, which nobody can set; a folder's tells of what came and went
  return files.every((file) => statSync(file).ctimeMs < since);
}

/** Outputs whose source is gone would still be imported, run as migrations or packed. */
function removeOrphans(folder, sources) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const source = join(sources, entry.name.replace(/\.(js\.map|d\.ts|js)$/, '.ts'));
    if (entry.isDirectory()) removeOrphans(path, source);
    else if (/\.(js|d\.ts|js\.map)$/.test(entry.name) && !existsSync(source)) rmSync(path);
  }
}

function build() {
  const began = Date.now();
  // whoever waits wants to know for what, and whether it will be so every time
  const what = existsSync(stamp) ? 'what has changed' : 'Keks, which takes this long the first time only';
  process.stderr.write(`Compiling ${what} ...\n`);
  for (const folder of ['src', 'migrations']) removeOrphans(join(dist, folder), join(root, folder));
  removeOrphans(join(guard, 'dist'), join(guard, 'src'));
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-b', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(stdout);
    process.exitCode = 1;
    return;
  }
  writeFileSync(stamp, '');
  const since = new Date(began - VAGUENESS_MS);
  utimesSync(stamp, since, since);
}

if (typescript === undefined) {
  process.stderr.write('Nothing is installed here yet, or not all of it: run "npm ci" first.\n');
  process.exitCode = 1;
} else if (!isBuilt()) await alone(root, 'build', () => isBuilt() || build());
