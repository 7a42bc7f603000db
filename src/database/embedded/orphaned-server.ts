import { isServerOf, livingStarter, readPidFile } from './postmaster-identity.js';

/** A server that runs or ran. The pid alone proves nothing: another process may have it by now. */
export interface ServerIdentity {
  readonly cluster: string;
  readonly pid: number;
}

/**
 * Asks a server whose starter is gone to end once its last session is over. For processes that still used the server.
 * Does nothing if the server has ended, or if another Keks has replaced it. Windows has no such request: there the
 * server runs until the next start, as after a crash of a single process.
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
