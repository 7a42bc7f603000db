import { Agent, request } from 'node:http';
import { basic, type TestClient } from './oauth.js';

export interface LoadReport {
  readonly requests: number;
  /** What came back that should not have, or what did not come back. */
  readonly failures: string[];
  /** Tokens whose issue was acknowledged, and those whose revoke was. */
  readonly alive: string[];
  readonly dead: string[];
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

const SOCKETS = 64;

/**
 * Requests at a steady rate over kept-alive connections, whether or not earlier ones have been answered, as long as there is
 * a connection left: mostly checks of a token, now and then an issue or a revoke. Connections are used in turn, so that each
 * hears of a `Connection: close`.
 */
export class SteadyLoad {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, scheduling: 'fifo' });
  private readonly failures: string[] = [];
  private readonly alive: string[] = [];
  private readonly dead: string[] = [];
  private readonly flying = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private sent = 0;

  /** @param perSecond 50 or more */
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly client: TestClient,
    perSecond: number,
  ) {
    const began = performance.now();
    this.timer = setInterval(() => {
      // a late turn sends what the turns before would have sent
      const due = ((performance.now() - began) / 1_000) * perSecond;
      while (this.sent < due && this.flying.size < SOCKETS) this.send();
    }, 10);
  }

  get requests(): number {
    return this.sent;
  }

  /** No new requests; resolves when all have come back. */
  async stop(): Promise<LoadReport> {
    clearInterval(this.timer);
    await Promise.all(this.flying);
    this.agent.destroy();
    const { sent: requests, failures, alive, dead } = this;
    return { requests, failures, alive, dead };
  }

  private send(): void {
    const nth = this.sent;
    this.sent += 1;
    const work = (nth % 20 === 7 ? this.issue() : nth % 40 === 9 ? this.revoke() : this.check()).catch(
      (error: NodeJS.ErrnoException) => void this.failures.push(`${nth}: ${error.code ?? error.message}`),
    );
    this.flying.add(work);
    void work.finally(() => this.flying.delete(work));
  }

  private async check(): Promise<void> {
    this.expectOk(await this.ask('/cookies', { authorization: `Bearer ${this.token}` }), '/cookies');
  }

  private async issue(): Promise<void> {
    const headers = { ...basic(this.client), 'content-type': 'application/x-www-form-urlencoded' };
    const reply = await this.ask('/oauth/token', headers, 'grant_type=client_credentials');
    if (!this.expectOk(reply, '/oauth/token')) return;
    this.alive.push((JSON.parse(reply.body) as { access_token: string }).access_token);
  }

  private async revoke(): Promise<void> {
    const token = this.alive.shift();
    if (token === undefined) return;
    const headers = { 'content-type': 'application/json' };
    const reply = await this.ask('/revoke', headers, JSON.stringify({ token }));
    if (this.expectOk(reply, '/revoke')) this.dead.push(token);
  }

  private expectOk({ status }: Reply, path: string): boolean {
    if (status !== 200) this.failures.push(`${path}: ${status}`);
    return status === 200;
  }

  private ask(path: string, headers: Record<string, string>, body?: string): Promise<Reply> {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const method = body === undefined ? 'GET' : 'POST';
    return new Promise((resolve, reject) => {
      const sent = request(
        this.url + path,
        { method, headers: { ...headers, ...length }, agent: this.agent },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => (text += chunk));
          answer.on('error', reject);
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        },
      );
      sent.setTimeout(20_000, () => sent.destroy(new Error('no answer')));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
