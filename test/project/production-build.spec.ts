import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly devOptional?: boolean; readonly version: string }>
  >;
}

/** What `npm ci` installs with NODE_ENV=production, as `package-lock.json` has it; what lies deeper comes with it. */
function installedForProduction(): string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
  return Object.entries(packages)
    .filter(
      ([path, { dev, devOptional }]) =>
        /^node_modules\/(?!.*\/node_modules\/)/.test(path) && !dev && !devOptional,
    )
    .map(([path]) => path)
    .filter((path) => existsSync(path));
}

describe('NODE_ENV=production npm ci', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-production-'));

  afterAll(() => rmSync(folder, { recursive: true }));

  it('installs all that `npm start` compiles with', () => {
    for (const name of [
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'scripts',
      'src',
      'migrations',
      'packages',
    ])
      cpSync(name, join(folder, name), { recursive: true, filter: (path) => !path.endsWith('/dist') });
    const build = () => spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, encoding: 'utf8' });
    const bare = build();
    expect([bare.status, bare.stdout, bare.stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/^[^\n]*npm ci[^\n]*\n$/),
    ]);
    const installed = installedForProduction();
    for (const path of installed) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      // the guard is a link already, to the folder beside it
      const isOurs = lstatSync(path).isSymbolicLink();
      symlinkSync(isOurs ? readlinkSync(path) : resolve(path), join(folder, path));
    }
    expect(installed).toContain('node_modules/typeorm');
    expect(installed).toContain('node_modules/keks-guard');
    expect(installed).not.toContain('node_modules/vitest');
    const { status, stdout, stderr } = build();
    expect([status, stdout, stderr]).toEqual([0, '', expect.stringMatching(/^Compiling Keks[^\n]*\n$/)]);
    expect(existsSync(join(folder, 'dist/src/main.js'))).toBe(true);
  }, 240_000);
});
