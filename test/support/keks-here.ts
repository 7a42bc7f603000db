import { Readable } from 'node:stream';
import { run } from '../../src/cli/program.js';
import { only, printed, type Run } from './keks.js';

export interface HereOptions {
  /** Standard input; without it there is none. */
  readonly input?: string | Buffer;
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * The command line in this process, where its being a process is not the point: the same from the arguments to the exit
 * code, on streams and an environment of its own. One at a time, because it borrows the process's.
 */
export function keksHere(
  environment: Record<string, string>,
  args: readonly string[],
  options: HereOptions = {},
): Promise<Run> {
  const mine = turn.then(() => borrowing(environment, args, options));
  turn = mine.catch(() => undefined);
  return mine;
}

/** What every file about the command line asks for, on one environment. */
export function commandLine(environment: () => Record<string, string>, ...first: readonly string[]) {
  const here = (...args: string[]): Promise<Run> => keksHere(environment(), [...first, ...args]);
  return {
    run: here,
    /** Done: one JSON document and nothing else. */
    async json<T>(...args: string[]): Promise<T> {
      const { code, stdout, stderr } = await here(...args, '--json');
      if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`);
      return only(stdout) as T;
    },
    /** Refused: exit code and error. */
    async refused(...args: string[]): Promise<[Run['code'], string]> {
      const { code, stdout, stderr } = await here(...args, '--json');
      if (stdout !== '') throw new Error(`not refused: ${stdout}`);
      return [code, (only(stderr) as { error: string }).error];
    },
  };
}

async function borrowing(
  environment: Record<string, string>,
  args: readonly string[],
  { input }: HereOptions,
): Promise<Run> {
  const { env } = process;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin');
  const given = input === undefined ? [] : [Buffer.from(input)];
  Object.defineProperty(process, 'stdin', { value: Readable.from(given), configurable: true });
  process.env = { PATH: env.PATH, HOME: env.HOME, ...environment };
  try {
    const code = await run(args);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.env = env;
    Object.defineProperty(process, 'stdin', stdin!);
    for (const one of [stdout, stderr]) {
      one.giveBack();
      printed.push(one.text());
    }
  }
}

function capture(stream: NodeJS.WriteStream) {
  const { write } = stream;
  let text = '';
  stream.write = (chunk: unknown, ...rest: unknown[]): boolean => {
    text += String(chunk);
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
  return { text: () => text, giveBack: () => void (stream.write = write) };
}
