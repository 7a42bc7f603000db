import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP } from 'node:net';
import type { OutboundRules } from './outbound-rules.js';

export interface Outbound {
  readonly url: URL;
  readonly rules: OutboundRules;
  /** Ends all of it: `rules.mostMs` at the latest. */
  readonly over: AbortSignal;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The rules allow nothing to be sent there. */
export class ForbiddenAddress extends Error {}

/**
 * One request to an address that somebody else has named, which gives nobody anything to aim with: the name is resolved once and
 * the connection goes to what was found, if the rules allow every address of the name; no redirect is followed, and no
 * connection is kept.
 * @param read what it makes of the answer, whose rest nobody reads
 * @throws ForbiddenAddress; the reason of `over`; what the connection fails with
 */
export async function pinnedRequest<T>(
  outbound: Outbound,
  read: (answer: IncomingMessage) => Promise<T>,
): Promise<T> {
  outbound.over.throwIfAborted();
  // looking a name up cannot be given up, so it is not waited for
  return Promise.race([aim(outbound).then((target) => send(outbound, target, read)), end(outbound.over)]);
}

interface Target {
  readonly host: string;
  readonly port: number;
  /** The name is not looked up again. */
  readonly pinned: string;
}

async function aim({ url, rules }: Outbound): Promise<Target> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (!rules.isAllowedPort(port)) throw new ForbiddenAddress();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) ? [host] : await rules.resolve(host);
  const [pinned] = addresses;
  // one that is not allowed among them: whoever owns the name plays with it
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

/** @returns undefined if it is longer */
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
