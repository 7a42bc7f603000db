import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyBinaries } from '../../src/database/embedded/binaries-copy.js';

/** Another user than ours: who it is does not matter to the copy. */
const account = { uid: 65_534, gid: 65_534 };

describe('the copy of PostgreSQL’s programs for an unprivileged user', () => {
  let folder: string;
  let before: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keks-copy-'));
    mkdirSync(join(folder, 'package', 'native', 'bin'), { recursive: true });
    writeFileSync(join(folder, 'package', 'package.json'), '{"name":"@x/linux","version":"1.0.0"}');
    writeFileSync(join(folder, 'package', 'native', 'bin', 'postgres'), 'a program', { mode: 0o700 });
    before = process.umask(0o077);
  });

  afterEach(() => {
    process.umask(before);
    rmSync(folder, { recursive: true, force: true });
  });

  const copy = (): Promise<string> =>
    copyBinaries({
      native: join(folder, 'package', 'native'),
      dataDir: join(folder, 'data'),
      account,
      cache: join(folder, 'cache'),
      finish: () => Promise.resolve(true),
    });
  const mode = (...path: string[]): number => statSync(join(...path)).mode & 0o777;

  it('can be entered by that user, whatever the umask', async () => {
    const native = await copy();
    expect([mode(folder, 'cache'), mode(native, '..'), mode(native, 'bin', 'postgres')]).toEqual([
      0o755, 0o755, 0o755,
    ]);
    expect(readFileSync(join(native, 'bin', 'postgres'), 'utf8')).toBe('a program');
  });

  it('mends a folder that an earlier start has closed', async () => {
    await copy();
    chmodSync(join(folder, 'cache'), 0o700);
    await copy();
    expect(mode(folder, 'cache')).toBe(0o755);
  });
});
