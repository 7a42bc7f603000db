import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly error: string;
  readonly status: number;
  readonly network: string;
  readonly count: number;
  readonly route?: string;
}

const INFO = 30;

describe('401, 403 and 429 in the log at the default level', () => {
  let database: TestDatabase;
  let keks: TestApp;
  let from = 0;

  const start = () =>
    startTestApp(
      { LOG_LEVEL: 'info', TRUST_PROXY: '127.0.0.1', LOGIN_FAILURES_PER_ACCOUNT: '2' },
      // it outlives the application, whose end is looked at
      { ...database, close: () => Promise.resolve() },
    );

  beforeAll(async () => {
    database = await createDatabase();
    keks = await start();
    await keks.addUser('Ann');
  });

  beforeEach(() => {
    keks.log.length = 0;
  });

  afterAll(async () => {
    await keks.close();
    await database.close();
  });

  /** A network that no test has used yet. */
  const someone = () => `192.0.2.${(from += 1)}`;

  const send = (path: string, address: string, init: RequestInit = {}) =>
    fetch(keks.url + path, { ...init, headers: { ...init.headers, 'x-forwarded-for': address } });

  const login = (address: string, body: object) =>
    send('/issue', address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  const told = (): Line[] =>
    keks.log.map((line) => JSON.parse(line) as Line).filter(({ msg }) => msg === 'refused');

  it('tells each kind of refusal, with the network and the route', async () => {
    const token = await keks.login('Ann');
    const address = someone();
    await send('/cookies', address);
    await send('/keys', address, { method: 'HEAD', headers: { authorization: 'Bearer nonsense' } });
    await send('/admin/users', address, { headers: { authorization: `Bearer ${token}` } });
    await send('/oauth/token', address, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('nobody:nothing')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1)
      statuses.push((await login(address, { user: 'Ann', password: 'wrong' })).status);
    expect(statuses).toEqual([401, 401, 429]);
    const once = { level: INFO, network: address, count: 1 };
    expect(told()).toMatchObject([
      { ...once, error: 'unauthorized', status: 401, route: '/cookies' },
      { ...once, error: 'invalid_token', status: 401, route: '/keys' },
      { ...once, error: 'insufficient_scope', status: 403, route: '/admin/users' },
      { ...once, error: 'invalid_client', status: 401, route: '/oauth/token' },
      { ...once, error: 'invalid_credentials', status: 401, route: '/issue' },
      { ...once, error: 'too_many_requests', status: 429, route: '/issue' },
    ]);
  });

  it('says nothing of what was let in, nor of what was merely wrong', async () => {
    const token = await keks.login('Ann');
    const address = someone();
    await send('/cookies', address, { headers: { authorization: `Bearer ${token}` } });
    await send('/nowhere', address);
    await login(address, { user: 'Ann' });
    expect(told()).toEqual([]);
  });

  it('counts a /64 of IPv6 as one', async () => {
    await send('/cookies', '2001:db8:1:2::1');
    await send('/cookies', '2001:db8:1:2:3::4');
    await send('/cookies', '2001:db8:1:3::1');
    expect(told().map(({ network }) => network)).toEqual(['2001:db8:1:2::/64', '2001:db8:1:3::/64']);
  });

  it('repeats nothing of what came in', async () => {
    const secret = randomBytes(12).toString('hex');
    const address = someone();
    await login(address, { user: `typed-${secret}`, password: `password-${secret}` });
    await send(`/sessions/${secret}`, address, { method: 'DELETE' });
    await send(`/keys/${secret}?as=${secret}`, address, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${secret}`, 'user-agent': secret, 'x-request-id': secret },
    });
    await send('/oauth/token', address, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${secret}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: secret }),
    });
    expect(told().length).toBeGreaterThanOrEqual(4);
    expect(keks.log.join('')).not.toContain(secret);
  });

  it('counts what comes again, tells it once a minute, and at the end what is left', async () => {
    const address = someone();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await keks.app.close();
      keks = await start();
      const lines = () => told().filter(({ network }) => network === address);
      const refused = async (times: number) => {
        for (let at = 0; at < times; at += 1) await send('/cookies', address);
      };
      await refused(8);
      expect(lines().map(({ count }) => count)).toEqual([1]);
      vi.advanceTimersByTime(60_000);
      await refused(3);
      expect(lines().map(({ count }) => count)).toEqual([1]);
      vi.advanceTimersByTime(60_000);
      expect(lines().map(({ count }) => count)).toEqual([1, 10]);
      await refused(2);
      vi.advanceTimersByTime(60_000);
      expect(lines().map(({ count }) => count)).toEqual([1, 10, 2]);
      await refused(4);
      await keks.app.close();
      expect(lines().map(({ count }) => count)).toEqual([1, 10, 2, 4]);
    } finally {
      vi.useRealTimers();
    }
    keks = await start();
  });

  it('sums up a flood from many networks in one line', async () => {
    const networks = 300;
    for (let at = 0; at < networks; at += 1) await send('/cookies', `198.51.${at >> 8}.${at & 255}`);
    const first = told();
    expect(first.length).toBeGreaterThan(50);
    expect(first.length).toBeLessThanOrEqual(100);
    await keks.app.close();
    const all = told();
    expect(all.length).toBe(first.length + 1);
    expect(all.at(-1)).toMatchObject({ level: INFO, error: 'unauthorized', network: 'others' });
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(networks);
    keks = await start();
  });

  it('lets go of networks that are quiet', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await keks.app.close();
      keks = await start();
      for (let at = 0; at < 101; at += 1) await send('/cookies', `198.51.100.${at}`);
      for (let minute = 0; minute < 3; minute += 1) vi.advanceTimersByTime(60_000);
      keks.log.length = 0;
      const address = someone();
      await send('/cookies', address);
      expect(told()).toMatchObject([{ network: address, count: 1 }]);
    } finally {
      vi.useRealTimers();
    }
  });
});
