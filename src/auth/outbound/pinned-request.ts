import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP } from 'node:net';
import type { OutboundRules } from './outbound-rules.js';

export interface Outbound {
  readonly url: URL;
  readonly rules: OutboundRules;
  /** Aborts the whole request, after `rules.mostMs` at the latest. */
  readonly over: AbortSignal;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The rules forbid this address. */
export class ForbiddenAddress extends Error {}

/**
 * One request to an address that somebody else has named. It cannot be aimed at private hosts: the name is resolved
 * once, the rules must allow all of its addresses, and the connection goes to the first of them. No redirect is
 * followed, and no connection is kept.
 * @param read makes the result from the answer; the rest of the answer is dropped
 * @throws ForbiddenAddress; the reason of `over`; the error of the connection
 */
export async function pinnedRequest<T>(
  outbound: Outbound,
  read: (answer: IncomingMessage) => Promise<T>,
): Promise<T> {
  outbound.over.throwIfAborted();
  // a name look-up cannot be aborted, so `over` does not wait for it
  return Promise.race([aim(outbound).then((target) => send(outbound, target, read)), end(outbound.over)]);
}

interface Target {
  readonly host: string;
  readonly port: number;
  /** The resolved address: the name is not looked up again. */
  readonly pinned: string;
}

async function aim({ url, rules }: Outbound): Promise<Target> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (!rules.isAllowedPort(port)) throw new ForbiddenAddress();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) ? [host] : await rules.resolve(host);
  const [pinned] = addresses;
  // if one address is forbidden, the owner of the name means harm
  if (pinned === undefined || !addresses.every((one) => rules.isAllowedAddress(one)))
    throw new ForbiddenAddress();
  if (!rules.isAllowedProtocol(url.protocol, pinned)) throw new ForbiddenAddress();
  return { host, port, pinned };
}

function send<T>(
  { url, rules, over, method, headers, body }: Outbound,
  { host, port, pinned }: Target,
  read: (answer: IncomingMessage) => Promise<T>,
): Promise<T> {
  over.throwIfAborted();
  return new Promise((resolve, reject) => {
    const where = { host: pinned, port, path: url.pathname + url.search };
    const options = {
      ...where,
      ...{ method, agent: false, signal: over },
      headers: { host: url.host, 'accept-encoding': 'identity', 'user-agent': 'keks', ...headers },
    } as const;
    const answered = (answer: IncomingMessage): void => {
      read(answer)
        .then(resolve, reject)
        .finally(() => sent.destroy());
    };
    const sent =
      url.protocol === 'https:'
        ? secureRequest(
            {
              ...options,
              ...(!isIP(host) && { servername: host }),
              ...(rules.ca !== undefined && { ca: rules.ca }),
            },
            answered,
          )
        : plainRequest(options, answered);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** @returns undefined if the body is longer than `mostBytes` */
export async function bodyOf(answer: IncomingMessage, mostBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function end(over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    over.addEventListener('abort', () => reject(over.reason as Error), { once: true });
  });
}
