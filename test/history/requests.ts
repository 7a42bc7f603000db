import { Agent, request } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> | undefined;
}

export interface Sent {
  readonly method?: string;
  readonly json?: object;
  readonly form?: Record<string, string>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Over connections that are kept, by a client that is cheap: a run may send a million. */
export class Requests {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });

  send(url: string, { method, json, form, headers }: Sent): Promise<Reply> {
    const body = json ? JSON.stringify(json) : form && new URLSearchParams(form).toString();
    const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
    const all: Record<string, string | number> = {
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method: method ?? (body === undefined ? 'GET' : 'POST'), headers: all, agent: this.agent },
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

  close(): void {
    this.agent.destroy();
  }
}
