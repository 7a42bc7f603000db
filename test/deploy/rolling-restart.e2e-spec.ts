import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/ports.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { keksHere } from '../support/keks-here.js';
import { environment, PASSWORD } from '../support/test-app.js';
import { PROXIES, startProxy, type Proxy, type ProxyName } from './support/proxies.js';

/** What was answered through a proxy: how often each kind of request, and all that was not 200. */
interface Seen {
  readonly done: Record<string, number>;
  readonly lost: string[];
}

/** More than two of the proxies' checks, and a machine that is busy. */
const SEEN_MS = 2_000;

const NAMES = (Object.keys(PROXIES) as ProxyName[]).filter((name) => PROXIES[name] !== undefined);

let database: TestDatabase;
let token: string;
const ports: number[] = [];
const servers: ServerProcess[] = [];
const proxies = new Map<ProxyName, Proxy>();
const seen = new Map<ProxyName, Seen>();

const json = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** What comes while instances restart: read, checked, and made. */
const REQUESTS: Readonly<Record<string, () => RequestInit>> = {
  '/cookies': () => ({ headers: { authorization: `Bearer ${token}` } }),
  '/validate': () => json({ token }),
  '/issue': () => json({ user: 'Ann', password: PASSWORD }),
};

const settings = (port: number): Record<string, string> =>
  environment(database.url, { PORT: String(port), SHUTDOWN_DELAY: '3', TRUST_PROXY: '127.0.0.1' });

async function ask(url: string, { done, lost }: Seen, over: AbortSignal): Promise<void> {
  while (!over.aborted)
    for (const [path, init] of Object.entries(REQUESTS)) {
      const status = await fetch(url + path, init()).then(
        async (answer) => `${answer.status} ${answer.status === 200 ? '' : await answer.text()}`,
        (error: unknown) => String(error),
      );
      done[path] = (done[path] ?? 0) + 1;
      if (status !== '200 ') lost.push(`${path}: ${status}`);
      if (!status.startsWith('200')) await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

beforeAll(async () => {
  if (NAMES.length === 0) return;
  database = await createDatabase();
  ports.push(await freePort(), await freePort());
  for (const port of ports) servers.push(await startProcess(settings(port)));
  // whose token is checked logs in once: of the other one's logins the oldest give way on a fast machine
  for (const name of ['Ann', 'Bob']) {
    const verb = ['user', 'add', name, '--scope', 'cookies:eat', '--password-stdin'];
    expect((await keksHere(settings(0), verb, { input: PASSWORD })).code).toBe(0);
  }
  const issued = await fetch(`${servers[0]?.url}/issue`, json({ user: 'Bob', password: PASSWORD }));
  ({ token } = (await issued.json()) as { token: string });
  for (const name of NAMES) proxies.set(name, await startProxy(name, PROXIES[name] ?? '', ports));

  const over = new AbortController();
  const clients = [...proxies].flatMap(([name, { url }]) => {
    const one: Seen = { done: {}, lost: [] };
    seen.set(name, one);
    return [ask(url, one, over.signal), ask(url, one, over.signal)];
  });
  try {
    // one after the other, each while the other one serves: it stops when it is asked to, and comes back on its port
    for (const [at, port] of ports.entries()) {
      expect(await servers[at]?.stop()).toBe(0);
      servers[at] = await startProcess(settings(port));
      // as docs/operating.md has it: the proxies look every half second, and count what they see
      await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
    }
  } finally {
    over.abort();
    await Promise.all(clients);
  }
});

afterAll(async () => {
  for (const proxy of proxies.values()) await proxy.stop();
  await Promise.all(servers.map((server) => server.stop('SIGINT')));
  await database?.close();
});

describe('while two instances restart one after the other, nobody is refused', () => {
  it.skipIf(!PROXIES.nginx)('behind nginx', () => nothingLost('nginx'));
  it.skipIf(!PROXIES.haproxy)('behind HAProxy', () => nothingLost('haproxy'));
  it.skipIf(!PROXIES.caddy)('behind Caddy', () => nothingLost('caddy'));
});

function nothingLost(name: ProxyName): void {
  const { done = {}, lost } = seen.get(name) ?? {};
  expect(lost).toEqual([]);
  for (const path of Object.keys(REQUESTS)) expect(done[path], path).toBeGreaterThan(20);
}
