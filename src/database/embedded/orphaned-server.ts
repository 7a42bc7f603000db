import { isServerOf, livingStarter, readPidFile } from './postmaster-identity.js';

/** A server that is or was running: the pid alone may be somebody else's by now. */
export interface ServerIdentity {
  readonly cluster: string;
  readonly pid: number;
}

/**
 * Asks a server whose starter is gone to end, which it does once its last session is over: for those who still worked
 * with it. Does nothing if it has ended, or if another Keks has replaced it. On Windows, which knows no such request, it
 * stays until the next start, as after a crash of a single process.
 */
export async function endOrphan({ cluster, pid }: ServerIdentity): Promise<void> {
  if (process.platform === 'win32') return;
  if ((await readPidFile(cluster))?.pid !== pid || !(await isServerOf(cluster, pid))) return;
  if ((await livingStarter(cluster)) !== null) return;
  try {
    // https://www.postgresql.org/docs/current/server-shutdown.html: SIGTERM is the smart shutdown
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
  }
}
