import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Unavailable } from '../../../http/errors/unavailable.js';
import { parseJson } from '../../../http/body/json-parser.js';
import { OutboundRules } from '../../outbound/outbound-rules.js';
import { bodyOf, pinnedRequest } from '../../outbound/pinned-request.js';

const MOST_BYTES = 10_240;
/** Readings at once in this process. More are refused, so that nobody can fill it with waiting requests. */
const MOST_AT_ONCE = 16;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i;

export interface FetchedJson {
  readonly value: Readonly<Record<string, unknown>>;
  readonly cacheControl: string | undefined;
}

/** Reads JSON at an address that a stranger has named, in bounded time and size. All failures give the same answer. */
@Injectable()
export class GuardedFetch {
  private running = 0;

  constructor(private readonly rules: OutboundRules) {}

  /** @returns undefined if there is no such document, for whatever reason @throws Unavailable while too many are read */
  async json(address: string): Promise<FetchedJson | undefined> {
    // no word about this document: others keep us busy
    if (this.running >= MOST_AT_ONCE) throw new Unavailable('too many documents are being read');
    this.running += 1;
    try {
      const over = AbortSignal.timeout(this.rules.mostMs);
      const headers = { accept: 'application/json' };
      const outbound = { url: new URL(address), rules: this.rules, over, method: 'GET', headers } as const;
      return await pinnedRequest(outbound, read);
    } catch {
      return undefined;
    } finally {
      this.running -= 1;
    }
  }
}

async function read(answer: IncomingMessage): Promise<FetchedJson | undefined> {
  const {
    'content-type': type = '',
    'content-encoding': coding,
    'cache-control': cacheControl,
  } = answer.headers;
  if (answer.statusCode !== 200 || !JSON_TYPE.test(type) || coding !== undefined) return undefined;
  const body = await bodyOf(answer, MOST_BYTES);
  return body && { value: parseJson(body), cacheControl };
}
