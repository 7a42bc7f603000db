import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { decide } from '../../support/device.js';
import { Visitor } from '../../support/visitor.js';

/** Longer than a device waits before it asks for the first time. */
const THINKS_MS = 6_000;

/** Ann, who allows whatever she is asked. */
class Person {
  constructor(private readonly keks: string) {}

  /** What a program has printed for her. */
  async does(line: string): Promise<void> {
    const [what = '', told = ''] = line.split(' ');
    if (what === 'visit') return this.visit(told);
    if (what === 'type') return this.type(told);
    throw new Error(`the program says something that no person understands: ${line}`);
  }

  private async visit(address: string): Promise<void> {
    const { pathname, search } = new URL(address);
    const visitor = new Visitor(this.keks);
    const page = await visitor.signIn(await visitor.open(pathname + search), 'Ann');
    const { location, text } = await visitor.submit(page, 'consent', { decision: 'allow' });
    if (location === undefined) throw new Error(`nobody is sent back:\n${text}`);
    // the program's own listener
    await fetch(location);
  }

  private async type(code: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, THINKS_MS));
    const page = await decide(new Visitor(this.keks), 'Ann', code);
    if (!page.text.includes('Your device is let in')) throw new Error(`not let in:\n${page.text}`);
  }
}

/** Runs a program that prints what a person has to do. @throws Error with all that it has said */
export async function runWithPerson(
  keks: string,
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  const person = new Person(keks);
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, 'close');
  try {
    for await (const line of createInterface(child.stdout)) {
      said += `${line}\n`;
      await person.does(line);
    }
  } catch (error) {
    child.kill();
    throw new Error(`the person could not do it, after:\n${said}`, { cause: error });
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`exit ${code}:\n${said}`);
}
