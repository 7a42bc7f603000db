/** The load generator: a process of its own, told what to send over IPC, that answers with what it saw. */
import { readFileSync } from 'node:fs';
import { Histogram } from './histogram.js';
import { openConnection, type Caller } from './load.connection.js';
import type { LoadPlan, LoadResult } from './load.plan.js';

process.on('message', (plan: LoadPlan) => {
  void run(plan).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));

const requestsOf = new Map<string, Buffer[]>();
/** Of plans whose answers are followed: what nobody has sent yet. */
const valuesOf = new Map<string, string[]>();

function run(plan: LoadPlan): Promise<LoadResult> {
  const key = JSON.stringify([plan.port, plan.method, plan.path, plan.headers, plan.body, plan.valuesFile]);
  if (plan.follow !== undefined) return followed(plan, key);
  const requests = plan.once ? prebuilt(plan) : known(plan, key);
  return new Promise((resolve) => new Load(plan, requests, resolve).start());
}

function followed(plan: LoadPlan, key: string): Promise<LoadResult> {
  let values = valuesOf.get(key);
  if (values === undefined) valuesOf.set(key, (values = readValues(plan)));
  return new Promise((resolve) => new Load(plan, [], resolve).start(values));
}

function known(plan: LoadPlan, key: string): Buffer[] {
  let requests = requestsOf.get(key);
  if (requests === undefined) requestsOf.set(key, (requests = prebuilt(plan)));
  return requests;
}

class Load implements Caller {
  private readonly histogram = new Histogram();
  private readonly cpu = process.cpuUsage();
  private readonly startedAt = performance.now();
  private readonly endsAt: number;
  private readonly total: number;
  private sent = 0;
  private open = 0;
  private unavailable = 0;
  private wrong = 0;
  private firstWrong: string | undefined;
  private random = (Math.random() * 0x7fffffff) | 1;

  constructor(
    private readonly plan: LoadPlan,
    private readonly requests: readonly Buffer[],
    private readonly done: (result: LoadResult) => void,
  ) {
    this.endsAt = this.startedAt + plan.milliseconds;
    this.total = Math.min(plan.total ?? Infinity, plan.once ? requests.length : Infinity);
  }

  /** @param values each connection begins with one of them, and gives back what it ends with */
  start(values?: string[]): void {
    this.open = this.plan.connections;
    for (let at = 0; at < this.plan.connections; at += 1)
      openConnection(this.plan.port, values ? new Follower(this, this.plan, values) : this);
  }

  /** Counts a request that is sent now. @returns false if there is to be none */
  begin(): boolean {
    const finished = this.sent >= this.total || performance.now() >= this.endsAt;
    if (finished) this.close();
    else this.sent += 1;
    return !finished;
  }

  next(): Buffer | undefined {
    if (!this.begin()) return undefined;
    if (this.plan.once) return this.requests[this.sent - 1];
    // xorshift: quicker than Math.random, and random enough to choose a token
    this.random ^= this.random << 13;
    this.random ^= this.random >>> 17;
    this.random ^= this.random << 5;
    return this.requests[(this.random >>> 0) % this.requests.length];
  }

  answered(status: number, microseconds: number, answer: Buffer): void {
    this.histogram.add(microseconds);
    if (status === this.plan.expect) return;
    if (status === 503) return void (this.unavailable += 1);
    this.wrong += 1;
    this.firstWrong ??= `status ${status}: ${answer.toString('latin1').split('\r\n\r\n')[1]}`;
  }

  broken(reason: string): void {
    this.wrong += 1;
    this.firstWrong ??= reason;
    this.close();
  }

  private close(): void {
    this.open -= 1;
    if (this.open > 0) return;
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const { user, system } = process.cpuUsage(this.cpu);
    this.done({
      requests: this.histogram.count,
      seconds,
      perSecond: this.histogram.count / seconds,
      unavailable: this.unavailable,
      wrong: this.wrong,
      ...(this.firstWrong === undefined ? {} : { firstWrong: this.firstWrong }),
      p50: this.histogram.percentile(0.5),
      p99: this.histogram.percentile(0.99),
      max: this.histogram.max,
      generatorCpu: (user + system) / 1e6 / seconds,
    });
  }
}

/** One connection that sends what it was given in the answer before. */
class Follower implements Caller {
  private value: string;
  private readonly member: RegExp;

  constructor(
    private readonly load: Load,
    private readonly plan: LoadPlan,
    private readonly values: string[],
  ) {
    const value = values.shift();
    if (value === undefined) throw new Error('there are fewer values than connections');
    this.value = value;
    this.member = new RegExp(`"${plan.follow}":"([^"]*)"`);
  }

  next(answer?: Buffer): Buffer | undefined {
    // after a 503 the same again
    if (answer) this.value = this.member.exec(answer.toString('latin1'))?.[1] ?? this.value;
    if (this.load.begin()) return request(this.plan, this.value);
    this.values.push(this.value);
    return undefined;
  }

  answered(status: number, microseconds: number, answer: Buffer): void {
    this.load.answered(status, microseconds, answer);
  }

  broken(reason: string): void {
    this.load.broken(reason);
  }
}

/** Every request as it goes over the wire, made before the clock starts. */
function prebuilt(plan: LoadPlan): Buffer[] {
  return readValues(plan).map((value) => request(plan, value));
}

function readValues({ valuesFile }: LoadPlan): string[] {
  return valuesFile === undefined ? [''] : readFileSync(valuesFile, 'utf8').trimEnd().split('\n');
}

function request({ port, method, path, headers = {}, body = '' }: LoadPlan, value: string): Buffer {
  const content = body.replace('{}', value);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    ...Object.entries(headers).map(([name, text]) => `${name}: ${text.replace('{}', value)}`),
    ...(method === 'POST' ? [`Content-Length: ${Buffer.byteLength(content)}`] : []),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`);
}
