import { Agent, request } from 'node:http';
import type { Ledger, Operation } from './history.js';

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> | undefined;
}

/** One who uses two servers, and writes down what was asked and what came back. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });

  constructor(
    private readonly urls: readonly string[],
    private readonly ledger: Ledger,
    private readonly credentials: { readonly client_id: string; readonly client_secret: string },
  ) {}

  issue(server: number): Promise<Operation> {
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...this.credentials });
    return this.record('issue', server, undefined, () => this.send(server, '/oauth/token', { form }));
  }

  login(server: number, user: string, password: string): Promise<Operation> {
    const json = { user, password, scope: 'offline_access' };
    return this.record('login', server, undefined, () => this.send(server, '/issue', { json }));
  }

  validate(server: number, token: string): Promise<Operation> {
    return this.record('validate', server, token, () => this.send(server, '/cookies', { token }));
  }

  revoke(server: number, token: string): Promise<Operation> {
    return this.record('revoke', server, token, () => this.send(server, '/revoke', { json: { token } }));
  }

  /** Out everywhere: whoever has this token also has these. */
  endAll(server: number, token: string, tokens: readonly string[]): Promise<Operation> {
    return this.record(
      'end',
      server,
      token,
      () => this.send(server, '/sessions', { token, method: 'DELETE' }),
      tokens,
    );
  }

  refresh(server: number, token: string): Promise<Operation> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token });
    return this.record('refresh', server, token, () => this.send(server, '/oauth/token', { form }));
  }

  logInAs(server: number, user: string, password: string): Promise<Operation> {
    const json = { user, password };
    return this.record('own login', server, undefined, () => this.send(server, '/issue', { json }));
  }

  makeKey(server: number, token: string, password: string): Promise<Operation> {
    const json = { label: 'x', password };
    return this.record('key', server, undefined, () => this.send(server, '/keys', { token, json }));
  }

  changePassword(server: number, token: string, old: string, wanted: string): Promise<Operation> {
    const json = { old_password: old, new_password: wanted };
    return this.record('password', server, undefined, () =>
      this.send(server, '/password', { token, json, method: 'PUT' }),
    );
  }

  close(): void {
    this.agent.destroy();
  }

  private async record(
    kind: Operation['kind'],
    server: number,
    token: string | undefined,
    ask: () => Promise<Reply>,
    tokens: readonly string[] = [],
  ): Promise<Operation> {
    const invoked = performance.now();
    if (kind === 'revoke' && token !== undefined) this.ledger.begin(token, invoked);
    for (const one of tokens) this.ledger.begin(one, invoked);
    const reply = await ask().catch(() => undefined);
    const access = reply?.body?.['access_token'] ?? reply?.body?.['token'] ?? reply?.body?.['key'];
    const refresh = reply?.body?.['refresh_token'];
    const made =
      typeof access === 'string'
        ? { access, ...(typeof refresh === 'string' ? { refresh } : {}) }
        : undefined;
    const completed = reply ? performance.now() : undefined;
    const status = reply?.status;
    const operation: Operation = { kind, server, token, tokens, invoked, completed, status, made };
    this.ledger.note(operation);
    return operation;
  }

  private send(
    server: number,
    path: string,
    what: {
      readonly token?: string;
      readonly json?: object;
      readonly form?: URLSearchParams;
      readonly method?: string;
    },
  ): Promise<Reply> {
    const body = what.json ? JSON.stringify(what.json) : what.form?.toString();
    const type = what.json ? 'application/json' : 'application/x-www-form-urlencoded';
    const headers: Record<string, string | number> = {
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      ...(what.token === undefined ? {} : { authorization: `Bearer ${what.token}` }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.urls[server]}${path}`,
        { method: what.method ?? (body === undefined ? 'GET' : 'POST'), headers, agent: this.agent },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
            resolve({ status: answer.statusCode ?? 0, body: parsed as Record<string, unknown> | undefined });
          });
        },
      );
      // a server that was stopped in its tracks answers when it goes on, or never
      sent.setTimeout(15_000, () => sent.destroy(new Error('no answer')));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
