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

/** The content of the cluster's postmaster.pid. Null if there is no file. The pid is NaN if the file is damaged. */
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

/** Whether a process with this pid exists, under any user. */
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
 * The `cluster_name` on the command line of this folder's server. It has the folder's inode. A copy of a running
 * DATA_DIR also copies postmaster.pid, but has another inode, so the copy is not taken for the original.
 */
export async function clusterName(cluster: string): Promise<string> {
  const { dev, ino } = await stat(cluster, { bigint: true });
  return `keks-${dev}-${ino}`;
}

/** Whether this process is the server of this cluster, so that we may signal it. The system uses pids again. */
export async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'win32') return isPostgresOnWindows(pid);
  const expected = `cluster_name=${await clusterName(cluster)}`;
  const owner = (await stat(cluster)).uid;
  const found = await describe(pid).catch(() => null);
  return found !== null && found.uid === owner && found.args.includes(expected);
}

/** The setting on a server's command line that has the pid of its starter. */
export const STARTER_SETTING = 'keks.starter';

/**
 * The pid of the process that started this cluster's server, while that process is alive: it is the server's parent
 * until then. Null if there is no server, if its starter is gone, or if this process cannot see it.
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
    // "pid (name) state parent ...": the name may contain any character.
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    return { uid, parent, args: (await readFile(join(folder, 'cmdline'), 'utf8')).split('\0') };
  }
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'uid=,ppid=,command=', '-p', String(pid)]);
  const [uid, parent, ...args] = stdout.trim().split(/\s+/);
  return { uid: Number(uid), parent: Number(parent), args };
}

const DAMAGED_AFTER_MS = 5000;

/**
 * Removes lock files of a killed server whose pid now belongs to another program: PostgreSQL would refuse to start
 * while that program runs. Also removes damaged lock files, once they are 5 s old. Call this only when nothing answers
 * at the socket.
 */
export async function clearStrangersLocks(cluster: string): Promise<void> {
  // On Windows PostgreSQL itself tells its own processes from other programs.
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
    // Another starter may have started a new server here meanwhile.
    if ((await readFile(file, 'utf8').catch(() => null)) === before)
      await unlink(file).catch(() => undefined);
  }
}
