import { execFile } from 'node:child_process';
import type { Account } from './server-account.js';
import { errorCode } from './embedded-refusal.js';

export interface Outcome {
  /** The exit code; null when it did not start or was ended by a signal. */
  readonly code: number | null;
  /** Why it did not start, e.g. `EACCES`; otherwise empty. */
  readonly failure: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly account: Account | null;
}

/**
 * The environment of PostgreSQL's programs. Not ours: it may hold SECRET_KEY, which any SQL superuser could
 * read back out of the server's environment, and PG* variables, which would redirect them. Windows' loader
 * needs its own variables, so there it is inherited.
 */
export const environment: NodeJS.ProcessEnv | undefined =
  process.platform === 'win32' ? undefined : { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

/** Whom and where to run as, as `spawn` takes it. */
export function spawnOptions({ cwd, account }: Surroundings): {
  cwd: string;
  uid?: number;
  gid?: number;
  env?: NodeJS.ProcessEnv;
} {
  return { cwd, ...account, ...(environment && { env: environment }) };
}

/** Runs one of PostgreSQL's short programs to its end (60 s at most). Never rejects. */
export function runProgram(file: string, args: readonly string[], where: Surroundings): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { ...spawnOptions(where), timeout: 60_000, killSignal: 'SIGKILL' as const };
    try {
      const child = execFile(file, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, failure: errorCode(error), stdout, stderr });
      });
      child.stdin?.end();
    } catch (error) {
      resolve({ code: null, failure: errorCode(error) || 'unknown', stdout: '', stderr: '' });
    }
  });
}

/** How a program names the folder it was started in without having to be able to enter the way there. */
export function workingDirectory(folder: string): string {
  return process.platform === 'linux' ? '/proc/self/cwd' : folder;
}
