import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { program } from './program.js';

export interface Run {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Standard input; without it there is none. */
  readonly input?: string | Buffer;
  readonly nodeArgs?: readonly string[];
  /** What is run: the packed program, unless said otherwise. */
  readonly from?: string;
  /** Called with the process as soon as it runs. */
  readonly meanwhile?: (pid: number) => void;
}

/** Every line that any run has printed. */
export const printed: string[] = [];

/** The compiled command line as a process of its own. */
export async function keks(
  environment: Record<string, string>,
  args: readonly string[],
  { input, nodeArgs = [], from = program('cli'), meanwhile }: RunOptions = {},
): Promise<Run> {
  const child = spawn(process.execPath, [...nodeArgs, from, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  meanwhile?.(child.pid!);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  printed.push(stdout, stderr);
  return { code: code ?? signal ?? '', stdout, stderr };
}

/** Exactly one JSON document and nothing else. */
export function only(text: string): unknown {
  if (!/^[[{].*\n$/.test(text)) throw new Error(`not one line of JSON: ${JSON.stringify(text)}`);
  return JSON.parse(text);
}
