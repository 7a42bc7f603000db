import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { NoVerdict } from './no-verdict.js';

export interface IntrospectionClientOptions {
  readonly endpoint: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly connections: number;
  /** The longest answer that is read, in bytes. */
  readonly longest?: number;
  /** How messages name the endpoint, `introspection endpoint` if absent. */
  readonly name?: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Asked {
  readonly body: string;
  readonly deadline: number;
  readonly traceparent: string | undefined;
}

/** Bytes. An answer of ours has about 400. */
const LONGEST_ANSWER = 65_536;
/** W3C Trace Context §3.2.2, version 00. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json[\t ]*(?:;|$)/i;
/** RFC 6749 §5.2: what a refusal may say. Nothing else that came is repeated. */
const ERROR_CODES = ['unauthorized_client', 'invalid_request'];
/** The other side closed an idle connection at the moment when this side used it again. */
const STALE = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Asks one endpoint about tokens (RFC 7662 §2.1), over connections that stay open. It follows no redirect and knows no proxy: a
 * token goes to the configured address and nowhere else.
 */
export class IntrospectionClient {
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof httpRequest | typeof httpsRequest;
  readonly #longest: number;
  readonly #options: RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #name: string;

  constructor(options: IntrospectionClientOptions) {
    const { endpoint, clientId, clientSecret, connections } = options;
    this.#longest = options.longest ?? LONGEST_ANSWER;
    this.#name = `The ${options.name ?? 'introspection endpoint'}`;
    const isTls = endpoint.protocol === 'https:';
    this.#agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connections });
    this.#request = isTls ? httpsRequest : httpRequest;
    this.#headers = {
      authorization: basic(clientId, clientSecret),
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    };
    this.#options = {
      agent: this.#agent,
      method: 'POST',
      hostname: endpoint.hostname.replace(/^\[(.+)\]$/, '$1'),
      port: endpoint.port,
      path: endpoint.pathname + endpoint.search,
      headers: this.#headers,
    };
  }

  /**
   * @param deadline `performance.now()` at which the answer comes too late
   * @param traceparent is sent along if it has the right form
   * @returns the body of a 200
   * @throws NoVerdict
   */
  async ask(token: string, deadline: number, traceparent?: string): Promise<string> {
    return this.askWith({ token, token_type_hint: 'access_token' }, deadline, traceparent);
  }

  /** Asks with any form, not only about a token. @throws NoVerdict */
  async askWith(form: Record<string, string>, deadline: number, traceparent?: string): Promise<string> {
    const { status, type, body } = await this.exchange({ body: encoded(form), deadline, traceparent });
    if (status === 401)
      throw new NoVerdict(
        'credentials_refused',
        'The authority refused this API: correct clientId and clientSecret of its validator.',
      );
    if (status !== 200) throw this.badAnswer(`answered ${status}${errorIn(body)} instead of 200`);
    if (!JSON_TYPE.test(type)) throw this.badAnswer('did not answer JSON');
    return body;
  }

  private optionsFor(traceparent: string | undefined): RequestOptions {
    if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return this.#options;
    return { ...this.#options, headers: { ...this.#headers, traceparent } };
  }

  close(): void {
    this.#agent.destroy();
  }

  /** A question changes nothing, so a question that met a stale connection is sent again. */
  private async exchange(asked: Asked): Promise<Answer> {
    while (performance.now() < asked.deadline) {
      const answer = await this.exchangeOnce(asked);
      if (answer !== 'stale') return answer;
    }
    throw this.timedOut();
  }

  private exchangeOnce({ body, deadline, traceparent }: Asked): Promise<Answer | 'stale'> {
    return new Promise((resolve, reject) => {
      const request = this.#request(this.optionsFor(traceparent), (response) =>
        this.read(response, resolve, reject),
      );
      const late = (): void => {
        reject(this.timedOut());
        request.destroy();
      };
      const timer = setTimeout(late, deadline - performance.now());
      request.on('close', () => clearTimeout(timer));
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && STALE.has(error.code ?? '')) resolve('stale');
        else reject(this.unreachable(error));
      });
      request.end(body);
    });
  }

  private read(
    response: IncomingMessage,
    resolve: (answer: Answer) => void,
    reject: (fault: NoVerdict) => void,
  ): void {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= this.#longest) return;
      reject(this.badAnswer('gave an answer that is too long'));
      response.destroy();
    });
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      resolve({
        status,
        type: headers['content-type'] ?? '',
        body: Buffer.concat(chunks, size).toString(),
      });
    });
    response.on('error', (error) => reject(this.unreachable(error)));
  }

  private badAnswer(what: string): NoVerdict {
    return new NoVerdict('bad_answer', `${this.#name} ${what}.`);
  }

  private timedOut(): NoVerdict {
    return new NoVerdict('timed_out', `${this.#name} did not answer in time.`);
  }

  private unreachable(cause: NodeJS.ErrnoException): NoVerdict {
    const code = cause.code === undefined ? '' : ` (${cause.code})`;
    return new NoVerdict('unreachable', `${this.#name} cannot be reached${code}.`, { cause });
  }
}

function errorIn(body: string): string {
  const code = ERROR_CODES.find((one) => body.includes(`"error":"${one}"`));
  return code === undefined ? '' : ` (${code})`;
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
function basic(clientId: string, clientSecret: string): string {
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
  return `Basic ${Buffer.from(pair, 'ascii').toString('base64')}`;
}

function encoded(form: Record<string, string>): string {
  return Object.entries(form)
    .map(([name, value]) => `${name}=${formEncoded(value)}`)
    .join('&');
}

function formEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}
