import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './embedded-site.js';
import { SOCKET_PORT } from './postgres-address.js';
import { STARTER_SETTING, clusterName, isServerOf, readPidFile } from './postmaster-identity.js';
import { runProgram, spawnOptions, workingDirectory } from './program-run.js';
import type { Patience } from './start-patience.js';
import { lastComplaint, openServerLog } from './server-log.js';
import { memoryOfMachine, sharedBuffers } from './server-memory.js';

const POLL_MS = 10;
/** How long a stopping server gets for each signal before the next, harsher one: milliseconds. */
const STOP_STEPS = [
  ['SIGINT', 8000],
  ['SIGQUIT', 6000],
  ['SIGKILL', 2000],
] as const;

/** A server that this process started. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves when the server has ended, for any reason. */
  readonly gone: Promise<void>;
  readonly hasGone: () => boolean;
  /** True if the server ended because somebody stopped it, and not because of an error. */
  readonly wasStopped: () => boolean;
  /** The last complaint in the log of the server; empty if there is none. */
  readonly complaint: () => Promise<string>;
  /** Stops the server, gently at first. Resolves when the server has ended, or after the last signal's time. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts the server in a session of its own: Ctrl-C in the terminal must reach only Keks, which needs the server to
 * drain.
 */
export async function launch(site: Site, port: number): Promise<Postmaster> {
  const log = await openServerLog(site.logFile);
  try {
    const child = spawn(site.binaries.postgres, await serverArguments(site, port), {
      ...spawnOptions({ cwd: site.cluster, account: site.account }),
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log.handle.fd, log.handle.fd],
    });
    return watch(site, child, log.size);
  } finally {
    await log.handle.close();
  }
}

async function serverArguments(site: Site, port: number): Promise<string[]> {
  const settings = {
    // Maybe nobody reads the log for years: it has only what matters, no statements and no data of users.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    shared_buffers: `${sharedBuffers(memoryOfMachine())}MB`,
    ...site.settings,
    cluster_name: await clusterName(site.cluster),
    [STARTER_SETTING]: String(process.pid),
    ...(site.loopback
      ? { listen_addresses: '127.0.0.1', unix_socket_directories: '' }
      : { listen_addresses: '', unix_socket_directories: '.', unix_socket_permissions: '0700' }),
    port: String(site.loopback ? port : SOCKET_PORT),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', workingDirectory(site.cluster), ...flags];
}

function watch(site: Site, child: ChildProcess, logFrom: number): Postmaster {
  let ended = false;
  let wasStopped = false;
  let failure = '';
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      ended = true;
      wasStopped = code === 0 || code === null;
      resolve();
    });
    child.once('error', (error) => {
      ended = true;
      failure = error.message;
      resolve();
    });
  });
  child.unref();
  return {
    pid: child.pid ?? Number.NaN,
    gone,
    hasGone: () => ended,
    wasStopped: () => wasStopped,
    complaint: async () => failure || (await lastComplaint(site.logFile, logFrom)),
    stop: async () => {
      child.ref();
      for (const [signal, patience] of STOP_STEPS) {
        if (ended) return;
        await send(site, child.pid ?? Number.NaN, signal);
        await within(patience, gone);
      }
    },
  };
}

async function within(patience: number, gone: Promise<void>): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([gone, sleep(patience, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

/** Waits until the server accepts connections or has ended. */
export async function untilReady(site: Site, server: Postmaster, patience: Patience): Promise<void> {
  while (!server.hasGone()) {
    const found = await readPidFile(site.cluster);
    if (found?.pid === server.pid && found.ready) return;
    patience.waiting('PostgreSQL replays what a crash left unfinished', true);
    await sleep(POLL_MS);
  }
}

/**
 * Stops a server that an earlier Keks left behind. Returns false if this process cannot see the server, or if the
 * server does not end.
 */
export async function stopLeftover(site: Site): Promise<boolean> {
  const pid = (await readPidFile(site.cluster))?.pid ?? Number.NaN;
  for (const [signal, patience] of STOP_STEPS) {
    // Check again before every signal: meanwhile the pid may belong to another process.
    if (!(await isServerOf(site.cluster, pid))) return signal !== 'SIGINT';
    await send(site, pid, signal);
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      if (!(await isServerOf(site.cluster, pid))) return true;
      await sleep(POLL_MS);
    }
  }
  return false;
}

async function send(site: Site, pid: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  if (process.platform === 'win32' && signal !== 'SIGKILL') {
    // On Windows Node's signals end a process at once. PostgreSQL has its own signals.
    const args = ['kill', signal.slice(3), String(pid)];
    await runProgram(site.binaries.pgCtl, args, { cwd: site.cluster, account: null });
    return;
  }
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
