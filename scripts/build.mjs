// Compiles what is out of date, says so on stderr, and prints nothing on stdout.
//   node scripts/build.mjs          with types and their declarations: `npm run build`, what is packed
//   node scripts/build.mjs --fast   without, in a thirtieth of the time: `npm start`, `npm run keks`, tests that start a process
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const guard = join(root, 'packages', 'guard');
/** Where each folder of sources is compiled to. */
const FOLDERS = [
  [join(root, 'src'), join(dist, 'src')],
  [join(root, 'migrations'), join(dist, 'migrations')],
  [join(guard, 'src'), join(guard, 'dist')],
];
/** Their times are when the last build of its kind that succeeded began. There is one of them only: the last build's. */
const full = join(dist, '.built');
const fast = join(dist, '.transpiled');
/** By which the compiler knows what it has emitted. */
const known = [dist, join(guard, 'dist')].map((folder) => join(folder, '.tsbuildinfo'));
/** File systems tell the time less exactly than we do. */
const VAGUENESS_MS = 1_000;

/** @returns where its package.json is */
function installed(name) {
  try {
    return createRequire(import.meta.url).resolve(`${name}/package.json`);
  } catch {
    return undefined;
  }
}

/** Its binary is an optional package, which `npm ci --omit=optional` leaves out. */
async function transpiler() {
  return import('oxc-transform').catch(() => undefined);
}

/** @returns each with where it is compiled to */
function sources() {
  return FOLDERS.flatMap(([folder, output]) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [join(folder, name), join(output, name.replace(/ts$/, 'js'))]),
  );
}

/** Whether nothing was changed, added or removed since; asking the compiler costs five times as much. */
function isBuilt(stamps, tools) {
  const since = Math.max(...stamps.map((stamp) => statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0));
  const single = [
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
    'scripts/lock.mjs',
    'packages/guard/package.json',
    'packages/guard/tsconfig.json',
  ];
  const files = [...single.map((name) => join(root, name)), ...tools, ...sources().map(([source]) => source)];
  for (const [folder, output] of FOLDERS) {
    if (!existsSync(output)) return false;
    files.push(folder);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isDirectory()) files.push(join(entry.parentPath, entry.name));
  }
  // the time of the change, which nobody can set; a folder's tells of what came and went
  return files.every((file) => statSync(file).ctimeMs < since);
}

/** Outputs whose source is gone would still be imported, run as migrations or packed. */
function removeOrphans(sources, folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const source = join(sources, entry.name.replace(/\.(js\.map|d\.ts|js)$/, '.ts'));
    if (entry.isDirectory()) removeOrphans(source, path);
    else if (/\.(js|d\.ts|js\.map)$/.test(entry.name) && !existsSync(source)) rmSync(path);
  }
}

/** @returns what is wrong with the sources */
function compile() {
  // else the compiler would take for its own what the other way has written
  if (existsSync(fast)) for (const notes of known) rmSync(notes, { force: true });
  const tsc = join(dirname(installed('typescript')), 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-b', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? '' : stdout || 'The compiler has failed and said nothing.\n';
}

/** Each file by itself, all of them: finding out which have changed would cost as much. @returns what is wrong with the sources */
function transpile({ transformSync }) {
  const outputs = [];
  let wrong = '';
  for (const [source, output] of sources()) {
    const options = {
      lang: 'ts',
      target: 'es2023',
      sourcemap: true,
      decorator: { legacy: true, emitDecoratorMetadata: true },
    };
    const { code, map, errors } = transformSync(source, readFileSync(source, 'utf8'), options);
    for (const { codeframe, message } of errors) wrong += `${codeframe ?? `${source}: ${message}`}\n`;
    outputs.push([output, `${code}//# sourceMappingURL=${basename(output)}.map\n`]);
    outputs.push([`${output}.map`, JSON.stringify({ ...map, sources: [source] })]);
  }
  if (wrong !== '') return wrong;
  for (const [path, text] of outputs) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return '';
}

function build(work, stamp) {
  const began = Date.now();
  // whoever waits wants to know for what
  const what = existsSync(full) || existsSync(fast) ? 'what has changed' : 'Keks';
  process.stderr.write(`Compiling ${what} ...\n`);
  for (const [folder, output] of FOLDERS) removeOrphans(folder, output);
  const wrong = work();
  if (wrong !== '') {
    process.stderr.write(wrong);
    process.exitCode = 1;
    return;
  }
  for (const old of [full, fast]) rmSync(old, { force: true });
  writeFileSync(stamp, '');
  const since = new Date(began - VAGUENESS_MS);
  utimesSync(stamp, since, since);
}

const quick = process.argv.includes('--fast') ? await transpiler() : undefined;
const tools = [installed(quick ? 'oxc-transform' : 'typescript')];
if (tools.includes(undefined)) {
  process.stderr.write('Nothing is installed here yet, or not all of it: run "npm ci" first.\n');
  process.exitCode = 1;
} else {
  const enough = quick ? [fast, full] : [full];
  const done = () => isBuilt(enough, tools);
  const work = quick ? () => transpile(quick) : compile;
  if (!done()) await alone(root, 'build', () => done() || build(work, quick ? fast : full));
}
