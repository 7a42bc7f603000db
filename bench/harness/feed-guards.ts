/** Guards that follow the feed of revocations, many in one process of their own. Told by message how many, and where. */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

export interface GuardsWanted {
  readonly port: number;
  readonly count: number;
  /** Basic credentials of a client that is an API. */
  readonly credentials: string;
}

export interface FeedAnswer {
  readonly cursor: string;
  readonly lease_ms: number;
}

/** Asks the feed once. */
export function askFeed(
  { port, credentials }: Omit<GuardsWanted, 'count'>,
  agent: Agent,
  guard: string,
  cursor: string | undefined,
): Promise<FeedAnswer> {
  const body = new URLSearchParams({ guard, ...(cursor === undefined ? {} : { cursor }) }).toString();
  const headers = {
    authorization: `Basic ${credentials}`,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  };
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, path: '/oauth/revocations', method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text) as FeedAnswer);
        else reject(new Error(`the feed answered ${answer.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject).end(body);
  });
}

export function newName(): string {
  return randomBytes(16).toString('base64url');
}

async function follow(wanted: GuardsWanted, ready: () => void): Promise<void> {
  const [agent, guard] = [new Agent({ keepAlive: true, maxSockets: 1 }), newName()];
  for (let cursor: string | undefined; ;) {
    const answer = await askFeed(wanted, agent, guard, cursor);
    cursor = answer.cursor;
    if (answer.lease_ms > 0) ready();
  }
}

if (process.send)
  process.once('message', (wanted: GuardsWanted) => {
    const ready = new Set<number>();
    for (let at = 0; at < wanted.count; at += 1)
      void follow(wanted, () => {
        ready.add(at);
        if (ready.size === wanted.count) process.send?.('ready');
      });
  });
