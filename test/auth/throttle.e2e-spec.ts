import { RemoteValidator } from 'keks-guard/remote';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkOf } from '../../src/http/network.js';
import { ClientThrottle } from '../../src/auth/throttle/client-throttle.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { addClient, basic, secretPost, stayLoggedIn, type TestClient } from '../support/oauth.js';
import {
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
  PATIENT_MS,
} from '../support/test-app.js';

const WINDOW = 15 * 60;

describe('POST /issue', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp({
      LOGIN_FAILURES_PER_ACCOUNT: '10',
      LOGIN_FAILURES_PER_ADDRESS: '100',
      LOGIN_FAILURES_IN_A_ROW: '100',
      TRUST_PROXY: '127.0.0.1',
    });
    await keks.addUser('Ann');
    await keks.addUser('Bea');
  });

  afterAll(() => keks.close());

  const issue = (user: string, password: string, from: string): Promise<Answer> =>
    post(keks.url, '/issue', { user, password }, { 'x-forwarded-for': from });

  const login = (user: string, from: string, device: string, password = PASSWORD): Promise<Answer> =>
    post(keks.url, '/issue', { user, password, device }, { 'x-forwarded-for': from });

  const fail = async (times: number, user: (attempt: number) => string, from: string): Promise<number[]> => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < times; attempt += 1)
      statuses.push((await issue(user(attempt), 'wrong', from)).status);
    return statuses;
  };

  describe('429', () => {
    it('after ten failures of one account from one address, for a right and a wrong password alike', async () => {
      expect(await fail(10, () => 'Ann', '10.0.0.1')).toEqual(Array(10).fill(401));
      const wrong = await issue('Ann', 'wrong', '10.0.0.1');
      const right = await issue('Ann', PASSWORD, '10.0.0.1');
      expect(wrong.status).toBe(429);
      expect(right.status).toBe(429);
      expect(right.body).toEqual(wrong.body);
      expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(WINDOW - 60);
      expect(Number(right.headers.get('retry-after'))).toBeLessThanOrEqual(WINDOW);
    });

    it('locks nobody out of another address', async () => {
      expect((await issue('Ann', PASSWORD, '10.0.0.2')).status).toBe(200);
    });

    it('does not depend on the spelling of the name', async () => {
      expect((await issue('ANN', PASSWORD, '10.0.0.1')).status).toBe(429);
    });

    it('is over when the window is', async () => {
      keks.clock.advance(WINDOW + 1);
      expect((await issue('Ann', PASSWORD, '10.0.0.1')).status).toBe(200);
    });

    it('counts failures only: a success clears the pair', async () => {
      for (let round = 0; round < 3; round += 1) {
        expect(await fail(9, () => 'Ann', '10.0.0.3')).toEqual(Array(9).fill(401));
        expect((await issue('Ann', PASSWORD, '10.0.0.3')).status).toBe(200);
      }
    });

    it('after a hundred failures from one address, whatever the names', async () => {
      const statuses = await fail(101, (attempt) => `nobody-${attempt}`, '10.0.0.4');
      expect(statuses.slice(0, 100)).toEqual(Array(100).fill(401));
      expect(statuses[100]).toBe(429);
      expect((await issue('Bea', PASSWORD, '10.0.0.4')).status).toBe(429);
      expect((await issue('Bea', PASSWORD, '10.0.0.5')).status).toBe(200);
    });

    it('after sixty failures of one account in a row only where it is used from, until a right login', async () => {
      for (let address = 0; address < 6; address += 1) await fail(10, () => 'Bea', `10.0.1.${address}`);
      const refused = await issue('Bea', PASSWORD, '10.0.2.1');
      expect(refused.status).toBe(429);
      expect(refused.body).toMatchObject({ error_description: expect.stringContaining('in a row') });
      keks.clock.advance(2 * 86_400);
      expect((await issue('Bea', PASSWORD, '10.0.2.1')).status).toBe(429);
      expect((await issue('Bea', PASSWORD, '10.0.0.5')).status).toBe(200);
      expect((await issue('Bea', PASSWORD, '10.0.2.1')).status).toBe(200);
    });

    it('of a name that nobody has likewise: time does not tell who is a user', async () => {
      for (let address = 0; address < 6; address += 1) await fail(10, () => 'Nobody', `10.0.4.${address}`);
      keks.clock.advance(2 * 86_400);
      expect((await issue('Nobody', PASSWORD, '10.0.2.1')).status).toBe(429);
    });

    it('at a hundred in a row at the latest, known addresses and devices included; an operator lets in again', async () => {
      await keks.addUser('Cem');
      const first = await login('Cem', '10.0.5.1', 'new');
      const device = (first.body as { device: string }).device;
      let tried = 0;
      for (let round = 0; round < 12; round += 1) {
        for (const from of ['10.0.5.1', `10.0.6.${round}`])
          for (let n = 0; n < 10; n += 1) if ((await issue('Cem', 'wrong', from)).status === 401) tried += 1;
        for (let n = 0; n < 10; n += 1)
          if ((await login('Cem', '10.0.5.1', device, 'wrong')).status === 401) tried += 1;
        keks.clock.advance(WINDOW + 1);
      }
      expect(tried).toBe(90);
      for (const one of [await login('Cem', '10.0.5.1', device), await issue('Cem', PASSWORD, '10.0.5.1')])
        expect(one.status).toBe(429);
      await keks.app.get(UsersService).setDisabled('Cem', false, OPERATOR);
      expect((await issue('Cem', PASSWORD, '10.0.7.1')).status).toBe(200);
    });

    it('does not meet who proves a login of before, wherever strangers fail', async () => {
      await keks.addUser('Dan');
      const first = await login('Dan', '10.0.8.1', 'new');
      const { device } = first.body as { device: string };
      expect(device).toMatch(/^kdp_/);
      await fail(10, () => 'Dan', '10.0.8.1');
      expect((await issue('Dan', PASSWORD, '10.0.8.1')).status).toBe(429);
      for (let address = 0; address < 6; address += 1) await fail(10, () => 'Dan', `10.0.9.${address}`);
      const again = await login('Dan', '10.0.8.1', device);
      expect(again.status).toBe(200);
      const next = (again.body as { device: string }).device;
      expect((await login('Dan', '10.0.9.9', next)).status).toBe(200);
    });

    it('takes no proof of another user, no old one and no spoilt one', async () => {
      const first = await login('Ann', '10.0.10.1', 'new');
      const { device } = first.body as { device: string };
      await keks.addUser('Eve');
      await fail(10, () => 'Eve', '10.0.10.1');
      await fail(10, () => 'Ann', '10.0.10.1');
      expect((await login('Eve', '10.0.10.1', device)).status).toBe(429);
      for (const wrong of ['new', `${device.slice(0, -1)}${device.endsWith('A') ? 'B' : 'A'}`, `${device}A`])
        expect((await login('Ann', '10.0.10.1', wrong)).status).toBe(429);
      expect((await login('Ann', '10.0.10.1', device)).status).toBe(200);
    });

    it('gives no proof to who does not ask', async () => {
      expect((await issue('Ann', PASSWORD, '10.0.11.1')).body).not.toHaveProperty('device');
    });

    it('holds when the attempts come all at once', async () => {
      const answers = await Promise.all(Array.from({ length: 60 }, () => issue('Ann', 'wrong', '10.0.3.1')));
      const tried = answers.filter(({ status }) => status === 401).length;
      // two at a time are in the lane
      expect(tried).toBeLessThanOrEqual(11);
      expect(tried).toBeGreaterThanOrEqual(10);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(60 - tried);
    });

    it('counts an IPv6 customer once', async () => {
      await fail(10, () => 'Ann', '2001:db8::1');
      expect((await issue('Ann', PASSWORD, '2001:db8::2')).status).toBe(429);
      expect((await issue('Ann', PASSWORD, '2001:db8:0:1::1')).status).toBe(200);
    });
  });

  it('keeps neither names nor addresses in the table of counters', async () => {
    const { rows } = await keks.database.client.query(
      'SELECT attempt_counters::text AS row FROM attempt_counters',
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { row } of rows) expect(row).not.toMatch(/ann|nobody|10\.0\.|2001:/i);
  });
});

describe('POST /oauth/introspect', () => {
  it('429 after as many failed client authentications from one address', async () => {
    const keks = await startTestApp({ LOGIN_FAILURES_PER_ADDRESS: '5', TRUST_PROXY: '127.0.0.1' });
    const ask = (from: string): Promise<Answer> =>
      request(keks.url, '/oauth/introspect', {
        method: 'POST',
        headers: { 'x-forwarded-for': from },
        body: new URLSearchParams({ token: 'x', client_id: 'c-1', client_secret: 'kcs_wrong' }),
      });
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await ask('10.0.0.1')).status).toBe(401);
    const refused = await ask('10.0.0.1');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('10.0.0.2')).status).toBe(401);
    keks.clock.advance(WINDOW + 1);
    expect((await ask('10.0.0.1')).status).toBe(401);
    await keks.close();
  });
});

describe('a client behind the address of a stranger', () => {
  const LIMIT = 5;
  let keks: TestApp;
  let client: TestClient;

  beforeAll(async () => {
    keks = await startTestApp({ LOGIN_FAILURES_PER_ADDRESS: String(LIMIT), TRUST_PROXY: '127.0.0.1' });
    client = await addClient(keks, { audience: ['http://127.0.0.1:3000'] });
    await keks.addUser('Ann');
  });

  afterAll(() => keks.close());

  const ask = (path: string, fields: Record<string, string>, from = '10.0.0.1'): Promise<Answer> =>
    request(keks.url, path, {
      method: 'POST',
      headers: { 'x-forwarded-for': from },
      body: new URLSearchParams(fields),
    });
  const wrong = (client_secret: string) => ({ token: 'x', client_id: client.clientId, client_secret });

  it('keeps its verdicts and its tokens, however much the stranger fails', async () => {
    const token = await keks.login('Ann');
    for (let attempt = 0; attempt < LIMIT; attempt += 1)
      expect((await ask('/oauth/revoke', wrong('kcs_wrong'))).status).toBe(401);
    expect((await ask('/oauth/revoke', wrong('kcs_wrong'))).status).toBe(429);
    const right = secretPost(client);
    expect((await ask('/oauth/introspect', { ...right, token })).body).toMatchObject({ active: true });
    expect((await ask('/oauth/revoke', { ...right, token: 'x' })).status).not.toBe(429);
    expect((await ask('/oauth/token', { ...right, grant_type: 'client_credentials' })).status).toBe(200);
    const basicAuth = { ...basic(client), 'x-forwarded-for': '10.0.0.1' };
    const body = new URLSearchParams({ token });
    expect(
      (await request(keks.url, '/oauth/introspect', { method: 'POST', headers: basicAuth, body })).body,
    ).toMatchObject({ active: true });
  });

  it('and so do people who refresh there, without a client', async () => {
    const { refresh_token } = await stayLoggedIn(keks, 'Ann');
    const fields = { grant_type: 'refresh_token', refresh_token };
    expect((await ask('/oauth/token', fields)).status).toBe(200);
  });

  it.each(['/oauth/token', '/oauth/introspect', '/oauth/revoke'])(
    '%s refuses early whoever only looks like a client: a secret that is nobody’s, or another client’s, or ended',
    async (path) => {
      const other = await addClient(keks);
      await keks.database.client.query('DELETE FROM client_secrets WHERE client_id = $1', [other.clientId]);
      const grant = { grant_type: 'client_credentials' };
      for (const secret of ['kcs_wrong', '', other.clientSecret])
        expect((await ask(path, { ...wrong(secret), ...grant })).status).toBe(429);
      const { rows } = await keks.database.client.query(
        `SELECT count(*)::int AS n FROM audit_events WHERE type = 'client.refused'`,
      );
      expect(rows[0]?.n).toBe(LIMIT);
    },
  );

  it('holds with RemoteValidator, too', async () => {
    const validator = new RemoteValidator({
      introspectionEndpoint: `${keks.url}/oauth/introspect`,
      timeoutMs: PATIENT_MS,
      clientId: client.clientId,
      clientSecret: client.clientSecret,
    });
    for (let attempt = 0; attempt <= LIMIT; attempt += 1)
      await request(keks.url, '/oauth/introspect', { method: 'POST', body: new URLSearchParams(wrong('x')) });
    const verdict = await validator.validate(await keks.login('Ann'));
    expect(verdict).toHaveProperty('principal');
  });
});

describe('the list of blocked networks', () => {
  it('is bounded, lets the oldest go, and still blocks who comes next', async () => {
    const keks = await startTestApp({ LOGIN_FAILURES_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.1' });
    const throttle = keks.app.get(ClientThrottle);
    const address = (at: number): string => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
    for (let from = 0; from < 10_100; from += 100)
      await Promise.all(Array.from({ length: 100 }, (_, at) => throttle.failed(address(from + at))));
    expect(throttle.remembered).toBe(10_000);
    const ask = async (from: string): Promise<number> =>
      (
        await request(keks.url, '/oauth/introspect', {
          method: 'POST',
          headers: { 'x-forwarded-for': from },
          body: new URLSearchParams({ token: 'x', client_id: 'c-1', client_secret: 'kcs_wrong' }),
        })
      ).status;
    expect([await ask('192.0.2.1'), await ask('192.0.2.1')]).toEqual([401, 429]);
    keks.clock.advance(WINDOW + 1);
    expect([await ask('192.0.2.1'), await ask('192.0.2.1')]).toEqual([401, 429]);
    expect([await ask('192.0.2.2'), await ask('192.0.2.2')]).toEqual([401, 429]);
    expect(throttle.remembered).toBeLessThan(10);
    await keks.close();
  });
});

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['[::FFFF:192.0.2.1]:80', '192.0.2.1'],
  ])('%s -> %s', (ip, network) => expect(networkOf(ip)).toBe(network));
});
