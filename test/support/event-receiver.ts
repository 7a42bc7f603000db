import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import { freePort } from './ports.js';

/** What a receiver has been sent. */
export interface Heard {
  readonly token: string;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  /** The last part of the event's URI. */
  readonly event: string;
  readonly claims: JWTPayload & { readonly sub_id: Record<string, unknown>; readonly txn: string };
  /** What is said of the event. */
  readonly said: Record<string, unknown>;
}

type Behaviour = (response: ServerResponse, heard: Heard, request: IncomingMessage) => void;

export const takes: Behaviour = (response) => void response.writeHead(202).end();
export const answers =
  (status: number, body?: object): Behaviour =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(body === undefined ? '' : JSON.stringify(body));
export const hangs: Behaviour = () => undefined;

/** Somebody who is told of events (RFC 8935), on this machine, over plain HTTP. It can go away, and come back to its port. */
export class EventReceiver {
  behave: Behaviour = takes;
  readonly heard: Heard[] = [];
  private server: Server | undefined;

  private constructor(private readonly port: number) {}

  static async start(): Promise<EventReceiver> {
    const receiver = new EventReceiver(await freePort());
    await receiver.open();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/events`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => void this.take(request, response));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const heard = heardOf(Buffer.concat(chunks).toString(), request);
    this.heard.push(heard);
    this.behave(response, heard, request);
  }
}

function heardOf(token: string, { headers }: IncomingMessage): Heard {
  const claims = decodeJwt<Heard['claims'] & { events: Record<string, Record<string, unknown>> }>(token);
  const [[uri = '', said = {}] = []] = Object.entries(claims.events);
  return {
    token,
    type: `${headers['content-type']} ${decodeProtectedHeader(token).typ}`,
    authorization: headers.authorization,
    event: uri.split('/').at(-1) ?? '',
    claims,
    said,
  };
}
