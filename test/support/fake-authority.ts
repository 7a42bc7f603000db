import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { freePort } from './ports.js';

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeAuthority {
  readonly url: string;
  readonly questions: Question[];
  /** Connections that were ever opened. */
  connections: number;
  /** What the next answers are; asked anew each time. */
  answer: RequestListener;
  readonly server: Server;
  /** Cuts every connection at once, and listens on. */
  cut(): void;
  close(): Promise<void>;
}

/** A peer that answers whatever a test wants, over real HTTP. */
export async function startFakeAuthority(answer: RequestListener): Promise<FakeAuthority> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      authority.questions.push({ method, path: url, headers, body });
      authority.answer(request, response);
    });
  });
  server.on('connection', (socket) => {
    authority.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // when it is closed, nobody else answers at its place
  server.listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  const authority: FakeAuthority = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    questions: [],
    connections: 0,
    answer,
    server,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return authority;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };
}
