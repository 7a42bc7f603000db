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

function run(plan: LoadPlan): Promise<LoadResult> {
  const requests = plan.once ? prebuilt(plan) : known(plan);
  return new Promise((resolve) => new Load(plan, requests, resolve).start());
}

function known(plan: LoadPlan): Buffer[] {
  const key = JSON.stringify([plan.port, plan.method, plan.path, plan.headers, plan.body, plan.valuesFile]);
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

  start(): void {
    this.open = this.plan.connections;
    for (let at = 0; at < this.plan.connections; at += 1) openConnection(this.plan.port, this);
  }

  next(): Buffer | undefined {
    const finished = this.sent >= this.total || performance.now() >= this.endsAt;
    if (finished) {
      this.close();
      return undefined;
    }
    this.sent += 1;
    if (this.plan.once) return this.requests[this.sent - 1];
    // xorshift: quicker than Math.random, and random enough to choose a token
    this.random ^= this.random << 13;
    this.random ^= this.random >>> 17;
    this.random ^= this.random << 5;
    return this.requests[(this.random >>> 0) % this.requests.length];
  }

  answered(status: number, microseconds: number): void {
    this.histogram.add(microseconds);
    if (status === this.plan.expect) return;
    if (status === 503) return void (this.unavailable += 1);
    this.wrong += 1;
    this.firstWrong ??= `status ${status}`;
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

/** Every request as it goes over the wire, made before the clock starts. */
function prebuilt({ port, method, path, headers = {}, body = '', valuesFile }: LoadPlan): Buffer[] {
  const values = valuesFile === undefined ? [''] : readFileSync(valuesFile, 'utf8').trimEnd().split('\n');
  return values.map((value) => {
    const content = body.replace('{}', value);
    const lines = [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      ...Object.entries(headers).map(([name, text]) => `${name}: ${text.replace('{}', value)}`),
      ...(method === 'POST' ? [`Content-Length: ${Buffer.byteLength(content)}`] : []),
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`);
  });
}
