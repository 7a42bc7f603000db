/**
 * Guards that follow the feed of revocations, many in one process of their own, which tells how many, and where, by message. They
 * only say that they know what they were told: what a guard does with it is its own machine's work, and not to be measured here.
 */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { openConnection, type Caller } from './load.connection.js';

export interface GuardsWanted {
  readonly port: number;
  readonly count: number;
  /** Basic credentials of a client that is an API. */
  readonly credentials: string;
}

/** What this process has done since the message before. */
export interface GuardsReport {
  readonly polls: number;
  /** Seconds of CPU. */
  readonly cpu: number;
}

export interface FeedAnswer {
  readonly cursor: string;
  readonly lease_ms: number;
}

/** Asks the feed once. */
export function askFeed(
  { port, credentials }: Omit<GuardsWanted, 'count'>,
  agent: Agent,
  guard: string,
  cursor: string | undefined,
): Promise<FeedAnswer> {
  const body = formOf(guard, cursor);
  const headers = { ...headersOf(credentials), 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, path: '/oauth/revocations', method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text) as FeedAnswer);
        else reject(new Error(`the feed answered ${answer.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject).end(body);
  });
}

export function newName(): string {
  return randomBytes(16).toString('base64url');
}

function formOf(guard: string, cursor: string | undefined): string {
  return new URLSearchParams({ guard, ...(cursor === undefined ? {} : { cursor }) }).toString();
}

function headersOf(credentials: string): Record<string, string> {
  return { authorization: `Basic ${credentials}`, 'content-type': 'application/x-www-form-urlencoded' };
}

/** One guard: an answer's cursor is what it asks from the next time. */
class Follower implements Caller {
  private readonly guard = newName();
  private readonly head: string;
  private cursor: string | undefined;

  constructor(
    credentials: string,
    private readonly told: (isLeased: boolean) => void,
  ) {
    const headers = Object.entries({ host: 'bench', ...headersOf(credentials) });
    this.head = `POST /oauth/revocations HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
  }

  next(): Buffer {
    const body = formOf(this.guard, this.cursor);
    return Buffer.from(`${this.head}content-length: ${body.length}\r\n\r\n${body}`);
  }

  answered(status: number, _: number, answer: Buffer): void {
    const text = answer.toString('latin1');
    const cursor = /"cursor":"([^"]*)"/.exec(text)?.[1];
    // a database that is too slow: it asks again, as it would
    if (status === 503) return;
    if (status !== 200 || cursor === undefined) return this.broken(`the feed answered ${status}`);
    this.cursor = cursor;
    this.told(!text.includes('"lease_ms":0,'));
  }

  broken(reason: string): void {
    process.stderr.write(`a guard was cut off: ${reason}\n`);
    process.exit(1);
  }
}

let polls = 0;
let cpu = process.cpuUsage();

function follow({ port, count, credentials }: GuardsWanted): void {
  const ready = new Set<number>();
  for (let at = 0; at < count; at += 1) {
    const told = (isLeased: boolean): void => {
      polls += 1;
      if (!isLeased || ready.has(at)) return;
      ready.add(at);
      if (ready.size === count) process.send?.('ready');
    };
    openConnection(port, new Follower(credentials, told));
  }
}

function report(): GuardsReport {
  const { user, system } = process.cpuUsage(cpu);
  const told = { polls, cpu: (user + system) / 1e6 };
  polls = 0;
  cpu = process.cpuUsage();
  return told;
}

if (process.send)
  process.on('message', (message: GuardsWanted | 'report') => {
    if (message === 'report') process.send?.(report());
    else follow(message);
  });
