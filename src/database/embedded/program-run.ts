import { execFile } from 'node:child_process';
import type { Account } from './server-account.js';
import { errorCode } from './embedded-refusal.js';

export interface Outcome {
  /** The exit code; null if the program did not start or a signal ended it. */
  readonly code: number | null;
  /** Why the program did not start, e.g. `EACCES`; otherwise empty. */
  readonly failure: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly account: Account | null;
}

/**
 * The environment of PostgreSQL's programs. They do not get our environment: it may hold SECRET_KEY, and any SQL
 * superuser could read SECRET_KEY out of the server's environment; and PG* variables would redirect the programs. On
 * Windows the programs inherit our environment, because the loader needs its own variables.
 */
export const environment: NodeJS.ProcessEnv | undefined =
  process.platform === 'win32' ? undefined : { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

/** The user, the folder and the environment of a program, in the shape that `spawn` takes. */
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

/** The name by which a program finds its own working directory, even if it may not enter the parent folders. */
export function workingDirectory(folder: string): string {
  return process.platform === 'linux' ? '/proc/self/cwd' : folder;
}
