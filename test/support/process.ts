import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './ports.js';
import { program } from './program.js';
import { watchOutput } from './watch.js';

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** stdout and stderr so far. */
  output(): string;
  /** Resolves with the exit code, or the signal, once all of its output is here. */
  readonly ended: Promise<number | string | null>;
  /** @returns the exit code, or the signal */
  stop(signal?: NodeJS.Signals): Promise<number | string | null>;
}

/**
 * The compiled program as a process of its own, ready to serve. On a free port, unless the environment names one.
 * @param file of another version of it
 */
export async function startProcess(
  environment: Record<string, string>,
  file?: string,
): Promise<ServerProcess> {
  const port = Number(environment['PORT']) || (await freePort());
  const server = launch({ ...environment, PORT: String(port) }, `http://127.0.0.1:${port}`, file);
  await untilReady(server);
  return server;
}

/** The compiled program, without waiting for anything. */
export function launch(environment: Record<string, string>, url = '', file = program('main')): ServerProcess {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const watched = watchOutput(`server ${child.pid} ${url}`);
  const hear = (chunk: Buffer): void => {
    output += chunk.toString();
    watched(chunk.toString());
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = once(child, 'close').then(
    ([code, signal]: (number | string | null)[]) => code ?? signal ?? null,
  );
  return {
    child,
    url,
    ended,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}

async function untilReady(server: ServerProcess): Promise<void> {
  for (let attempt = 0; attempt < 4_800; attempt += 1) {
    if (server.child.exitCode !== null) break;
    const ready = await fetch(`${server.url}/health/ready`).then(
      (answer) => answer.status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  server.child.kill('SIGKILL');
  throw new Error(`the server did not become ready:\n${server.output()}`);
}
