import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** The script takes what was changed less than a second before its build for changed since. */
const VAGUE_MS = 1_100;

describe('scripts/build.mjs', () => {
  const clone = mkdtempSync(join(tmpdir(), 'keks-build-'));
  const build = () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], {
      cwd: clone,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  beforeAll(async () => {
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts'])
      cpSync(join(ROOT, name), join(clone, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
    for (const name of ['package.json', 'tsconfig.json'])
      cpSync(join(ROOT, 'packages/guard', name), join(clone, 'packages/guard', name), { recursive: true });
    for (const folder of ['src', 'migrations', 'packages/guard/src']) {
      mkdirSync(join(clone, folder), { recursive: true });
      writeFileSync(join(clone, folder, 'one.ts'), 'export const ONE = 1;\n');
    }
    await sleep(VAGUE_MS);
  });

  afterAll(() => rmSync(clone, { recursive: true }));

  it('tells whoever waits in one line that it compiles, and nothing where there is nothing to do', async () => {
    expect(build()).toEqual({
      status: 0,
      stdout: '',
      stderr: 'Compiling Keks, which takes this long the first time only ...\n',
    });
    expect(build()).toEqual({ status: 0, stdout: '', stderr: '' });
    utimesSync(join(clone, 'src/one.ts'), new Date(), new Date());
    await sleep(VAGUE_MS);
    expect(build()).toEqual({ status: 0, stdout: '', stderr: 'Compiling what has changed ...\n' });
    expect(build()).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
