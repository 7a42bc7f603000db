// Packs the compiled program, with those of its dependencies that have many files, into few: dist/packed/. Tests start it
// more than a hundred times, and most of the CPU of a start goes into finding, opening and compiling 2,300 files. CommonJS,
// because V8's code of ES modules cannot be kept: see code-cache.cjs.
import { copyFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { alone } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packed = join(root, 'dist', 'packed');
const stamp = join(packed, '.packed');

const CODE_CACHE = 'scripts/code-cache.cjs';

const PROGRAMS = {
  main: 'dist/src/main.js',
  'worker-main': 'dist/src/server/workers/worker-main.js',
  cli: 'dist/src/cli.js',
};

/** What is asked for by name while the program runs, has binaries or workers, or must be there once. */
const LOOSE = new Set([
  'bcrypt',
  'pino',
  'thread-stream',
  'sonic-boom',
  'reflect-metadata',
  'swagger-ui-dist',
  'commander',
]);

/** What a package would load if it were there. */
const resolves = (name, from) => {
  try {
    return createRequire(from).resolve(name) !== undefined;
  } catch {
    return false;
  }
};

const packageOf = (name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/');

function isExternal(name, from = join(root, 'package.json')) {
  if (name.startsWith('.') || isAbsolute(name)) return false;
  return LOOSE.has(packageOf(name)) || name.startsWith('@opentelemetry/') || !resolves(name, from);
}

/** It asks for names of TypeORM 0.3 by `require`, which would load TypeORM a second time. */
const withoutOldNames = {
  name: 'without-old-names',
  load: {
    filter: { id: /@nestjs\/typeorm\/dist\/common\/typeorm-compat\.js$/ },
    handler: () => 'export const Connection = undefined; export const AbstractRepository = undefined;',
  },
};

/** A script of which V8's code is kept cannot import by itself. */
const importsElsewhere = {
  name: 'imports-elsewhere',
  renderChunk: (code) => ({ code: code.replaceAll(/\bimport\(/g, `require('./code-cache.cjs').load(`) }),
};

const time = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isPacked() {
  const sources = ['dist/.built', 'package-lock.json', 'scripts/pack.mjs', CODE_CACHE].map((name) =>
    join(root, name),
  );
  return sources.every((file) => time(file) < time(stamp));
}

async function pack() {
  const began = new Date();
  const own = createRequire(import.meta.url).resolve('keks/package.json');
  const bundle = await rolldown({
    input: Object.fromEntries(
      Object.entries(PROGRAMS).map(([name, file]) => [name, join(dirname(own), file)]),
    ),
    platform: 'node',
    external: isExternal,
    plugins: [withoutOldNames, importsElsewhere],
    logLevel: 'silent',
  });
  rmSync(packed, { recursive: true, force: true });
  await bundle.write({
    dir: packed,
    format: 'cjs',
    keepNames: true,
    entryFileNames: '[name]-entry.cjs',
    chunkFileNames: '[name]-[hash].cjs',
    banner: `require('reflect-metadata');`,
  });
  await bundle.close();
  copyFileSync(join(root, CODE_CACHE), join(packed, 'code-cache.cjs'));
  // under the names that they have in dist/src/, where the primary of several workers looks for them
  for (const name of Object.keys(PROGRAMS))
    writeFileSync(join(packed, `${name}.js`), `import './code-cache.cjs';\nimport './${name}-entry.cjs';\n`);
  writeFileSync(stamp, '');
  utimesSync(stamp, began, began);
}

if (!isPacked()) await alone(root, 'pack', () => isPacked() || pack());
