import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/ports.js';

const READY_WITHIN_MS = 180_000;
/** As `npm start` has it. */
export const KEKS_ARGUMENTS = ['--max-semi-space-size=8'];

export interface Program {
  readonly port: number;
  /** Milliseconds from its start to its first answer. */
  readonly readyAfter: number;
  /** Resident memory in MiB; undefined where the system does not tell. */
  memory(): number | undefined;
  /** Seconds of CPU that it has used so far; undefined where the system does not tell. */
  cpu(): number | undefined;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export interface Launch {
  readonly file: string;
  readonly nodeArguments?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Asked until it answers with whatever status is wanted. */
  readonly path: string;
  readonly status?: number;
}

/** A Node program on a free port, ready to serve. It gets nothing of our environment but what finds programs. */
export async function launch({
  file,
  nodeArguments = [],
  environment,
  path,
  status = 200,
}: Launch): Promise<Program> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeArguments, file], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      ...environment,
      PORT: `${port}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  while (child.exitCode === null && performance.now() - startedAt < READY_WITHIN_MS) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    if (answer?.status === status)
      return {
        port,
        readyAfter: performance.now() - startedAt,
        memory: () => memoryOf(child.pid),
        cpu: () => cpuOf(child.pid),
        signal: (name) => void child.kill(name),
        stop: () => stop(child),
      };
    await sleep(5);
  }
  await stop(child);
  throw new Error(`${file} did not become ready:\n${output}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exit;
  clearTimeout(timer);
}

function memoryOf(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}

function cpuOf(pid: number | undefined): number | undefined {
  return processTimes(`${pid}`)?.own;
}

export interface ProcessTimes {
  readonly pid: string;
  readonly parent: string | undefined;
  /** Seconds of CPU. */
  readonly own: number;
  /** Of those of its children that have ended. */
  readonly children: number;
}

/** In clock ticks, of which Linux shows a hundred a second. @returns undefined if it is gone, or the system does not tell */
export function processTimes(pid: string): ProcessTimes | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const seconds = (at: number): number => (Number(fields[at]) + Number(fields[at + 1])) / 100;
    return { pid, parent: fields[1], own: seconds(11), children: seconds(13) };
  } catch {
    return undefined;
  }
}
