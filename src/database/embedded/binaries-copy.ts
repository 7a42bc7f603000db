import { chmod, cp, lstat, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EmbeddedRefusal, errorCode } from './embedded-refusal.js';
import type { Account } from './server-account.js';

const SYSTEM_CACHE = '/var/cache/keks';

export interface CopyOrder {
  readonly native: string;
  readonly dataDir: string;
  readonly account: Account | null;
  /** Where copies for an unprivileged user are kept, the system's cache if absent. */
  readonly cache?: string;
  /** Completes the copy (the library links) before anybody can see it. */
  readonly finish: (native: string) => Promise<boolean>;
}

/**
 * Copies the binaries (60 MB) once to a folder where the server's user can run them. Returns that folder. For an
 * unprivileged user the folder is outside DATA_DIR, because DATA_DIR may be below a folder that only root may enter.
 * The system's cache comes first: the system deletes old files in a temporary folder, even while the server runs.
 */
export async function copyBinaries(order: CopyOrder): Promise<string> {
  const parents = order.account === null ? [order.dataDir] : [order.cache ?? SYSTEM_CACHE, tmpdir()];
  const manifest = await readFile(join(order.native, '..', 'package.json'), 'utf8');
  const { name, version }: { name: string; version: string } = JSON.parse(manifest);
  const folder = `postgres-${name.split('/').at(-1)}-${version}`;
  for (const parent of parents) {
    const target = join(parent, parent === tmpdir() ? `keks-${folder}` : folder);
    if (await publish(order, target).catch(isUnwritable)) return join(target, 'native');
  }
  throw new EmbeddedRefusal(
    `PostgreSQL's programs cannot be run from ${order.native} by its unprivileged user, nor copied to ` +
      `${parents.join(' or ')}: install Keks where every user may read it, or start it as an ordinary user`,
  );
}

function isUnwritable(error: unknown): false {
  if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'ENOENT'].includes(errorCode(error))) return false;
  throw error;
}

/** Returns false if another user owns or can write to the target or its parent folder: it may be a trap. */
async function publish(order: CopyOrder, target: string): Promise<boolean> {
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  if (dirname(target) !== tmpdir() && !(await isOurs(dirname(target)))) return false;
  // whatever the umask of this start, or of an earlier one, has left of its mode: another user must get in
  if (order.account !== null && dirname(target) !== tmpdir()) await chmod(dirname(target), 0o755);
  const present = await lstat(target).catch(() => null);
  if (present !== null) {
    if (!(await isOurs(target))) return false;
    if (await isComplete(order.native, join(target, 'native'))) return true;
  }
  const draft = await mkdtemp(`${target}.`);
  try {
    const native = join(draft, 'native');
    await cp(order.native, native, { recursive: true, verbatimSymlinks: true });
    await order.finish(native);
    await openToReaders(draft);
    if (present !== null) await rm(target, { recursive: true, force: true });
    await rename(draft, target).catch(async (error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error)) || !(await isOurs(target))) throw error;
    });
    return true;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Whether the folder is a real one, is ours, and is writable only for us: whoever can write here would run code as the
 * server.
 */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0;
}

async function isComplete(native: string, copy: string): Promise<boolean> {
  const entries = await readdir(native, { recursive: true, withFileTypes: true });
  const checks = entries.map(async (entry) => {
    if (!entry.isFile()) return true;
    const original = join(entry.parentPath, entry.name);
    const found = await lstat(join(copy, original.slice(native.length))).catch(() => null);
    return found !== null && found.size === (await lstat(original)).size;
  });
  return (await Promise.all(checks)).every(Boolean);
}

async function openToReaders(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const program = entry.isDirectory() || ((await lstat(path)).mode & 0o100) !== 0;
    await chmod(path, program ? 0o755 : 0o644);
  }
}
