import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { parseJson } from '../../../http/body/json-parser.js';
import { OutboundRules } from './outbound-rules.js';

const MOST_BYTES = 10_240;
/** At once in this process; others are refused, so that nobody makes it busy with waiting. */
const MOST_AT_ONCE = 16;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i;

export interface FetchedJson {
  readonly value: Readonly<Record<string, unknown>>;
  readonly cacheControl: string | undefined;
}

/**
 * Reads JSON at an address that a stranger has named, and gives that stranger nothing to aim with: HTTPS to public addresses
 * only, the name is resolved once and the connection goes to what was found, no redirect is followed, and time and size are
 * bounded. Whatever goes wrong is one answer.
 */
@Injectable()
export class GuardedFetch {
  private running = 0;

  constructor(private readonly rules: OutboundRules) {}

  /** @returns undefined if there is no such document, for whatever reason */
  async json(address: string): Promise<FetchedJson | undefined> {
    if (this.running >= MOST_AT_ONCE) return undefined;
    this.running += 1;
    const over = AbortSignal.timeout(this.rules.mostMs);
    try {
      return await Promise.race([this.read(new URL(address), over), whenOver(over)]);
    } catch {
      return undefined;
    } finally {
      this.running -= 1;
    }
  }

  private async read(url: URL, over: AbortSignal): Promise<FetchedJson | undefined> {
    const port = Number(url.port || 443);
    if (url.protocol !== 'https:' || !this.rules.isAllowedPort(port)) return undefined;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) ? [host] : await this.rules.resolve(host);
    const [pinned] = addresses;
    // one that is not public among them: whoever owns the name plays with it
    if (pinned === undefined || !addresses.every((one) => this.rules.isAllowedAddress(one))) return undefined;
    over.throwIfAborted();
    return ask({ url, host, port, pinned, over, ca: this.rules.ca });
  }
}

interface Asked {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
  /** Where the connection goes: the name is not looked up again. */
  readonly pinned: string;
  readonly over: AbortSignal;
  readonly ca: string | undefined;
}

function ask({ url, host, port, pinned, over, ca }: Asked): Promise<FetchedJson | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: pinned,
        port,
        path: url.pathname + url.search,
        agent: false,
        signal: over,
        headers: {
          host: url.host,
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'keks',
        },
        ...(!isIP(host) && { servername: host }),
        ...(ca !== undefined && { ca }),
      },
      (answer) => {
        body(answer)
          .then(resolve, reject)
          .finally(() => sent.destroy());
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

async function body(answer: IncomingMessage): Promise<FetchedJson | undefined> {
  const {
    'content-type': type = '',
    'content-encoding': coding,
    'cache-control': cacheControl,
  } = answer.headers;
  if (answer.statusCode !== 200 || !JSON_TYPE.test(type) || coding !== undefined) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return { value: parseJson(Buffer.concat(chunks)), cacheControl };
}

function whenOver(over: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => over.addEventListener('abort', () => resolve(undefined), { once: true }));
}
