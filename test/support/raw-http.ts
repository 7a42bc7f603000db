import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** In the order of the wire; names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  /** The value of a header; throws if it stands there twice. */
  header(name: string): string | null;
  readonly body: string;
  /** All of it but `Date` and `X-Request-Id`, which differ in every answer. */
  readonly comparable: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** Whole lines, sent as they are, one byte a character. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

/** One request over a socket of its own, so that every byte is ours. */
export async function exchange(url: string, request: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', headers = ['Host: test'], body } = request;
  const framing = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${request.path} HTTP/1.1`, ...headers, ...framing, 'Connection: close', '', ''];
  const [answer] = parseAnswers(
    await send(url, Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), Buffer.from(body ?? '')])),
    method === 'HEAD',
  );
  if (!answer) throw new Error('no answer');
  return answer;
}

/** Many requests in one write, the answers in their order. */
export async function pipeline(url: string, requests: readonly string[]): Promise<RawAnswer[]> {
  const last = requests.length - 1;
  const bytes = requests
    .map((text, at) => `${text}${at === last ? 'Connection: close\r\n' : ''}\r\n`)
    .join('');
  return parseAnswers(await send(url, Buffer.from(bytes, 'latin1')));
}

function send(url: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
  });
}

function parseAnswers(bytes: Buffer, bodiless = false): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) throw new Error(`not an answer: ${bytes.subarray(at, at + 80).toString('latin1')}`);
    const [statusLine = '', ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n');
    const headers = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    const values = (name: string) => headers.filter(([one]) => one === name).map(([, value]) => value);
    const [length = '0'] = values('content-length');
    at = end + 4;
    // what a HEAD is answered with beyond the header is kept: it would be a fault
    const body = bytes.subarray(at, bodiless ? bytes.length : at + Number(length)).toString();
    at = bodiless ? bytes.length : at + Number(length);
    answers.push({
      status: Number(statusLine.split(' ')[1]),
      headers,
      header(name) {
        const found = values(name.toLowerCase());
        if (found.length > 1) throw new Error(`${name} stands there ${found.length} times`);
        return found[0] ?? null;
      },
      body,
      comparable: [statusLine, ...lines.filter((line) => !/^(?:date|x-request-id):/i.test(line)), body].join(
        '\n',
      ),
    });
  }
  return answers;
}
