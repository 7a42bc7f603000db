import { execFile } from 'node:child_process';
import { readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SOCKET_NAME } from './postgres-address.js';

export interface PidFile {
  readonly pid: number;
  readonly port: number;
  /** The server accepts connections. */
  readonly ready: boolean;
}

/** The cluster's postmaster.pid; null when there is none. The pid is NaN when the file is damaged. */
export async function readPidFile(cluster: string): Promise<PidFile | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const lines = text.split('\n');
  return {
    pid: Number.parseInt(lines[0] ?? '', 10),
    port: Number.parseInt(lines[3] ?? '', 10),
    ready: (lines[7] ?? '').startsWith('ready'),
  };
}

/** Whether a process of this number exists, whoever's it is. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * The name that a server of this folder carries on its command line. Made of the folder's inode, so that a copy
 * of a running DATA_DIR, which brings a postmaster.pid along, is not taken for the original.
 */
export async function clusterName(cluster: string): Promise<string> {
  const { dev, ino } = await stat(cluster, { bigint: true });
  return `keks-${dev}-${ino}`;
}

/** Whether this process is the server of this cluster, and so may be signalled; pids are used again. */
export async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'win32') return isPostgresOnWindows(pid);
  const expected = `cluster_name=${await clusterName(cluster)}`;
  const owner = (await stat(cluster)).uid;
  const found = await describe(pid).catch(() => null);
  return found !== null && found.uid === owner && found.args.includes(expected);
}

/** The setting on a server's command line that tells who started it. */
export const STARTER_SETTING = 'keks.starter';

/**
 * The pid of the process that started this cluster's server, as long as it lives: until then it is the server's
 * parent. Null: there is no server, its starter is gone, or it cannot be seen from here.
 */
export async function livingStarter(cluster: string): Promise<number | null> {
  const pid = (await readPidFile(cluster))?.pid;
  if (process.platform === 'win32' || pid === undefined || !(await isServerOf(cluster, pid))) return null;
  const found = await describe(pid).catch(() => null);
  return found !== null && found.args.includes(`${STARTER_SETTING}=${found.parent}`) ? found.parent : null;
}

async function isPostgresOnWindows(pid: number): Promise<boolean> {
  const args = ['/NH', '/FO', 'CSV', '/FI', `PID eq ${pid}`];
  const { stdout } = await promisify(execFile)('tasklist', args).catch(() => ({ stdout: '' }));
  return stdout.toLowerCase().includes('"postgres.exe"');
}

async function describe(pid: number): Promise<{ uid: number; parent: number; args: string[] }> {
  if (process.platform === 'linux') {
    const folder = `/proc/${pid}`;
    const { uid } = await stat(folder);
    const status = await readFile(join(folder, 'stat'), 'utf8');
    // "pid (name) state parent ...", where the name may hold anything.
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    return { uid, parent, args: (await readFile(join(folder, 'cmdline'), 'utf8')).split('\0') };
  }
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'uid=,ppid=,command=', '-p', String(pid)]);
  const [uid, parent, ...args] = stdout.trim().split(/\s+/);
  return { uid: Number(uid), parent: Number(parent), args };
}

const DAMAGED_AFTER_MS = 5000;

/**
 * Removes the lock files that a killed server left when their pid now belongs to a stranger: PostgreSQL would
 * refuse to start for as long as that stranger lives. Call it only when nothing answers at the socket.
 */
export async function clearStrangersLocks(cluster: string): Promise<void> {
  // On Windows PostgreSQL itself tells its processes from strangers.
  if (process.platform === 'win32') return;
  for (const name of ['postmaster.pid', `${SOCKET_NAME}.lock`]) {
    const file = join(cluster, name);
    const before = await readFile(file, 'utf8').catch(() => null);
    if (before === null) continue;
    const pid = Number.parseInt(before, 10);
    if (Number.isNaN(pid)) {
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
      if (Date.now() - mtimeMs < DAMAGED_AFTER_MS) continue;
    } else if (!isAlive(pid) || (await isServerOf(cluster, pid))) continue;
    // Another starter may have put a new server here meanwhile.
    if ((await readFile(file, 'utf8').catch(() => null)) === before)
      await unlink(file).catch(() => undefined);
  }
}
