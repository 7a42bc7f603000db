import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import type { Attempt } from './attempt.js';
import type { Operation } from './document.js';
import type { Pool } from './pool.js';
import { Placeholder } from './values.js';

export interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether credentials were sent that the server takes. */
  readonly authenticated: boolean;
  /** For whoever reads of a failure. */
  readonly sent: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends an attempt. A busy machine's 503 is asked again, a few times: what stays 503 is one. */
export async function send(
  url: string,
  operation: Operation,
  attempt: Attempt,
  pool: Pool,
): Promise<Exchange> {
  const authorization = await pool.authorization(attempt.caller, operation.path);
  const path = await addressOf(operation, attempt, pool, authorization);
  const body = bodyOf(operation, attempt, pool);
  const headers: Record<string, string> = {
    ...(body !== undefined && operation.body ? { 'content-type': operation.body.type } : {}),
    ...(authorization === undefined ? {} : { authorization }),
    ...attempt.headers,
  };
  for (let tries = 1; ; tries += 1) {
    const answer = await exchange({ url, path, method: operation.method, headers, body });
    if (answer.status === 503 && tries < 4) continue;
    return {
      ...answer,
      authenticated: !['nobody', 'garbage', 'revoked', 'refresh token'].includes(attempt.caller),
      sent: `${operation.method} ${path} ${JSON.stringify(headers)} ${body?.toString('utf8').slice(0, 400) ?? ''}`,
    };
  }
}

export function hangUp(): void {
  agent.destroy();
}

type Plain = Pick<Exchange, 'status' | 'headers' | 'text'>;

interface Sent {
  readonly url: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

function exchange({ url, path, method, headers, body }: Sent): Promise<Plain> {
  const length = body === undefined ? {} : { 'content-length': String(body.length) };
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    // not as one text: Node would take `.` and `..` out of the path
    const to = { host: hostname, port, path, method, headers: { ...headers, ...length }, agent };
    const sent = request(to, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function addressOf(
  { path }: Operation,
  attempt: Attempt,
  pool: Pool,
  authorization: string | undefined,
): Promise<string> {
  const named = Object.values(attempt.path).some(
    (one) => one instanceof Placeholder && one.kind.includes(' in '),
  );
  const subject = named ? await pool.subjectOf(path, authorization) : {};
  const whole = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = attempt.path[name];
    // what is hostile has been encoded, or left unencoded, on purpose
    if (typeof value === 'string') return asTarget(value);
    return encodeURIComponent(subject[name] || asText(pool.filled(value)));
  });
  const query = attempt.query.map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(asText(pool.filled(value)))}`,
  );
  return query.length === 0 ? whole : `${whole}?${query.join('&')}`;
}

/** Node sends no address with spaces or beyond ASCII in it. */
function asTarget(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]|[?#]/g, (one) => encodeURIComponent(one.toWellFormed()));
}

function bodyOf(operation: Operation, { body }: Attempt, pool: Pool): Buffer | undefined {
  if (body === undefined) return undefined;
  if ('text' in body) return body.text;
  const value = pool.filled(body.value);
  if (operation.body?.type !== 'application/x-www-form-urlencoded') return Buffer.from(JSON.stringify(value));
  const form = new URLSearchParams();
  for (const [name, one] of Object.entries(value as object)) form.append(name, asText(one));
  return Buffer.from(form.toString());
}

function asText(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}
