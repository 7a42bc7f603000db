import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** The script takes what was changed less than a second before its build for changed since. */
const VAGUE_MS = 1_100;
const NOTHING = { status: 0, stdout: '', stderr: '' };
const FIRST = { ...NOTHING, stderr: 'Compiling Keks ...\n' };
const AGAIN = { ...NOTHING, stderr: 'Compiling what has changed ...\n' };

describe('scripts/build.mjs', () => {
  const clone = mkdtempSync(join(tmpdir(), 'keks-build-'));
  const build = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build.mjs', ...args], {
      cwd: clone,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const write = async (code: string, name = 'src/one.ts') => {
    writeFileSync(join(clone, name), code);
    await sleep(VAGUE_MS);
  };
  const output = (ending: string) => readFileSync(join(clone, `dist/src/one.${ending}`), 'utf8');

  beforeAll(async () => {
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts'])
      cpSync(join(ROOT, name), join(clone, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
    for (const name of ['package.json', 'tsconfig.json'])
      cpSync(join(ROOT, 'packages/guard', name), join(clone, 'packages/guard', name), { recursive: true });
    for (const folder of ['src', 'migrations', 'packages/guard/src'])
      mkdirSync(join(clone, folder), { recursive: true });
    await write('export const TWO = 2;\n', 'packages/guard/src/two.ts');
    await write('export const ZERO = 0;\n', 'migrations/zero.ts');
    await write('export const ONE: number = 1;\n');
  });

  afterAll(() => rmSync(clone, { recursive: true }));

  it('tells whoever waits in one line that it compiles, and nothing where there is nothing to do', async () => {
    expect(build('--fast')).toEqual(FIRST);
    expect(build('--fast')).toEqual(NOTHING);
    expect(output('js')).toMatch(/^export const ONE = 1;\n\/\/# sourceMappingURL=one\.js\.map\n$/);
    await write('export const ONE: number = 1;\n');
    expect(build('--fast')).toEqual(AGAIN);
    expect(build('--fast')).toEqual(NOTHING);
  });

  it('compiles with types what was compiled without, and then not again without', () => {
    expect(existsSync(join(clone, 'dist/src/one.d.ts'))).toBe(false);
    expect(build()).toEqual(AGAIN);
    expect(output('d.ts')).toBe('export declare const ONE: number;\n');
    expect([build('--fast'), build()]).toEqual([NOTHING, NOTHING]);
  });

  it('leaves nothing of a version that was taken back, whichever way came between', async () => {
    await write('export const ONE: number = 11;\n');
    expect(build('--fast')).toEqual(AGAIN);
    expect(output('js')).toContain('11');
    await write('export const ONE: number = 1;\n');
    expect(build()).toEqual(AGAIN);
    expect(output('js')).not.toContain('11');
  });

  it('looks at types only where it is to', async () => {
    await write("export const ONE: number = 'one';\n");
    expect(build('--fast')).toEqual(AGAIN);
    const { status, stdout, stderr } = build();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('src/one.ts(1,14): error TS2322');
  });

  it('says where the syntax is wrong, and changes nothing', async () => {
    const before = output('js');
    await write('export const ONE = ;\n');
    const { status, stdout, stderr } = build('--fast');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/one\.ts:1:20/);
    expect(output('js')).toBe(before);
    expect(build('--fast').status).toBe(1);
  });
});
