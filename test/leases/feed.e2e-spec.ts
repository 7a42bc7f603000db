import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LeaseRegister } from '../../src/auth/leases/lease-register.js';
import { LEAVE_REGISTER } from '../../src/auth/leases/leases.sql.js';
import { Database } from '../../src/database/database.js';
import { FeedGuard, hashed } from '../support/feed-guard.js';
import { claimsOf, headerOf } from '../support/forge.js';
import {
  addClient,
  basic,
  clientToken,
  refresh,
  stayLoggedIn,
  submit,
  type TestClient,
} from '../support/oauth.js';
import { untilWaiting } from '../support/locks.js';
import {
  PASSWORD,
  PATIENTLY,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

/** So long that whoever waits for the end of one fails: each guard leaves in time. */
const LEASE_TTL = '60s';

describe('POST /oauth/revocations', () => {
  let keks: TestApp;
  let api: TestClient;
  const sql = async <R>(text: string, values: unknown[] = []): Promise<R[]> =>
    (await keks.database.client.query(text, values)).rows as R[];

  beforeAll(async () => {
    keks = await startTestApp({ LEASE_TTL });
    await keks.addUser('Ann', 'cookies:eat keks:admin');
    api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
  });

  afterAll(() => keks.close());

  const ask = (fields: Record<string, string>, client = api): Promise<Answer> =>
    submit(keks.url, '/oauth/revocations', fields, basic(client));

  /** What is in the register, without waiting for anybody. */
  const registered = (): Promise<{ guards: number }[]> => sql('SELECT guards FROM guard_leases');

  async function jwt(user = 'Ann'): Promise<string> {
    const answer = await post(keks.url, '/issue', { user, password: PASSWORD, format: 'jwt' });
    return (answer.body as { token: string }).token;
  }

  async function revoke(token: string): Promise<void> {
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
  }

  describe('refuses', () => {
    it('a caller without credentials, and a client that is no API', async () => {
      const guard = randomBytes(16).toString('base64url');
      expect((await submit(keks.url, '/oauth/revocations', { guard })).status).toBe(401);
      const answer = await ask({ guard }, await addClient(keks));
      expect([answer.status, (answer.body as { error: string }).error]).toEqual([400, 'unauthorized_client']);
    });

    it.each(['x', '1~2', '1-1-1~5:4', '1-1-1~1:1:~x', '1-1-1~1:1:1;'])(
      'a cursor that it did not make: %s',
      async (cursor) => {
        const answer = await ask({ guard: randomBytes(16).toString('base64url'), cursor });
        expect([answer.status, (answer.body as { parameter: string }).parameter]).toEqual([400, 'cursor']);
      },
    );

    it('a cursor of this place that PostgreSQL would refuse, and serves the others on', async () => {
      const guard = randomBytes(16).toString('base64url');
      const { cursor } = (await ask({ guard })).body as { cursor: string };
      const place = cursor.slice(0, cursor.indexOf('~'));
      const impossible = ['0:0:', '5:4:', '1:9:7,3', '2:9:1', '1:9:9', '1:9:4,4', '1:4294967296:', '0:9:1'];
      for (const snapshot of [...impossible, `1:${2n ** 64n}:`, '1:99999999999999999999:']) {
        const answer = await ask({ guard, cursor: `${place}~${snapshot}` });
        expect([answer.status, (answer.body as { parameter: string }).parameter]).toEqual([400, 'cursor']);
      }
      expect((await ask({ guard: randomBytes(16).toString('base64url') })).status).toBe(200);
    });
  });

  it('gives no lease for a cursor from the future of a database that was put back, but the whole log', async () => {
    const guard = randomBytes(16).toString('base64url');
    const first = (await ask({ guard })).body as { cursor: string };
    const place = first.cursor.slice(0, first.cursor.indexOf('~'));
    const answer = await ask({ guard, cursor: `${place}~1:${2n ** 40n + 7n}:` });
    expect(answer).toMatchObject({ status: 200, body: { reset: true, lease_ms: 0 } });
  });

  it('keeps the entry of an instance when a link delivers late that it has left', async () => {
    const database = keks.app.get(Database);
    const register = new LeaseRegister(database, 60_000);
    const entries = async (): Promise<number> => {
      const { rows } = await keks.database.client.query('SELECT FROM guard_leases WHERE instance = $1', [
        register.instance,
      ]);
      return rows.length;
    };
    await register.renew(undefined, 1, undefined);
    await register.renew(undefined, 1, undefined);
    await database.run(LEAVE_REGISTER, [register.instance, 1]);
    expect(await entries()).toBe(1);
    await register.leave();
    expect(await entries()).toBe(0);
  });

  describe('tells', () => {
    it('first all that there is, without a lease, then what is new, with one', async () => {
      const [before, after] = [await jwt(), await jwt()];
      await revoke(before);
      const guard = new FeedGuard(ask);
      const first = await guard.poll();
      expect([first.reset, first.more, first.lease_ms]).toEqual([true, true, 0]);
      expect(guard.knows('token', claimsOf(before)['jti'])).toBe(true);
      expect(await registered()).toEqual([]);
      const second = await guard.poll();
      expect([second.reset, second.more, second.lease_ms]).toEqual([false, false, 60_000]);
      expect(await registered()).toEqual([{ guards: 1 }]);
      const ended = revoke(after);
      const news = await guard.poll();
      await guard.leave();
      await ended;
      expect(news.entries).toEqual([
        { kind: 'token', key: hashed(claimsOf(after)['jti']), exp: claimsOf(after)['exp'] },
      ]);
    });

    it('a page at a time, and of none too little', async () => {
      await sql(`INSERT INTO revocations (kind, value, expires_at)
                 SELECT 'token', 'many-' || n, now() + interval '1 hour' FROM generate_series(1, 4500) n`);
      const guard = new FeedGuard(ask);
      const pages = [await guard.poll(), await guard.poll(), await guard.poll()];
      expect(pages.map(({ reset, entries }) => [reset, entries.length <= 2_000])).toEqual([
        [true, true],
        [false, true],
        [false, true],
      ]);
      await guard.catchUp();
      expect([...guard.known.keys()].filter((key) => key.includes('many-'))).toHaveLength(4_500);
      await sql(`DELETE FROM revocations WHERE value LIKE 'many-%'`);
    });

    it('the whole log again to who asks from another database', async () => {
      const guard = new FeedGuard(ask);
      await guard.catchUp();
      guard.cursor = `1-00000001-1~${guard.cursor?.split('~')[1]}`;
      const again = await guard.poll();
      expect([again.reset, again.lease_ms]).toEqual([true, 0]);
      await guard.leave();
    });

    it('what a transaction has committed that began before, and ends after others', async () => {
      const guard = new FeedGuard(ask);
      await guard.untilLease();
      await sql('BEGIN');
      await sql(
        `INSERT INTO revocations (kind, value, expires_at) VALUES ('token', 'slow', now() + interval '1 hour')`,
      );
      const fast = await jwt();
      const ended = revoke(fast);
      await guard.catchUp();
      await ended;
      expect(guard.knows('token', claimsOf(fast)['jti'])).toBe(true);
      expect(guard.known.has('token slow')).toBe(false);
      await sql('COMMIT');
      await guard.catchUp();
      expect(guard.known.has('token slow')).toBe(true);
    });
  });

  it('acknowledges an end when the guard has applied it: it has asked for what comes next', async () => {
    const guard = new FeedGuard(ask);
    await guard.untilLease();
    const token = await jwt();
    let acknowledged = false;
    const ended = revoke(token).then(() => (acknowledged = true));
    await guard.poll();
    expect([guard.knows('token', claimsOf(token)['jti']), acknowledged]).toEqual([true, false]);
    const next = guard.poll();
    await ended;
    const another = revoke(await jwt());
    await next;
    await guard.leave();
    await another;
  });

  describe('gives a lease with an answer only', () => {
    const SOON = { timeout: 15_000, interval: 10 };

    it('a guard that gave its question up before the answer came has none, and nobody waits for it', async () => {
      await expect.poll(registered, SOON).toEqual([]);
      const giveUp = new AbortController();
      const guard = new FeedGuard((fields) =>
        request(keks.url, '/oauth/revocations', {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic(api) },
          body: new URLSearchParams(fields).toString(),
          signal: giveUp.signal,
        }),
      );
      await guard.poll();
      const token = await jwt();
      await sql('BEGIN');
      await sql('LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE');
      const poll = guard.poll().catch(() => 'given up');
      await untilWaiting(keks.database);
      giveUp.abort();
      expect(await poll).toBe('given up');
      const seen = (): boolean => keks.log.some((line) => line.includes('does not wait any more'));
      await expect.poll(seen, SOON).toBe(true);
      await sql('COMMIT');
      await expect.poll(registered, SOON).toEqual([]);
      await revoke(token);
    });

    it('one that leaves while its question is open gets no answer to it, and nobody waits for it', async () => {
      const answers: Answer[] = [];
      const guard = new FeedGuard(async (fields) => {
        const answer = await ask(fields);
        answers.push(answer);
        return answer;
      });
      await guard.untilLease();
      const open = guard.poll().catch(() => 'no answer');
      const before = answers.length;
      await ask({ guard: guard.name, leave: 'true' });
      expect(await open).toBe('no answer');
      expect(answers.slice(before).map(({ status }) => status)).toEqual([503]);
      await expect.poll(registered, SOON).toEqual([]);
      await revoke(await jwt());
    });
  });

  describe('knows of every kind of end', () => {
    let guard: FeedGuard;
    let stay: { readonly token: string; readonly refresh_token: string };
    let admin: Record<string, string>;

    beforeAll(async () => {
      admin = { authorization: `Bearer ${await keks.login('Ann')}` };
      await keks.addUser('Bob');
      guard = new FeedGuard(ask);
    });

    const stayed = async (): Promise<typeof stay> =>
      (stay = await stayLoggedIn(keks, 'Bob', { format: 'jwt' }));
    const userId = (): string => String(claimsOf(stay.token)['sub']);
    const send = (
      method: string,
      path: string,
      body?: object,
      headers: Record<string, string> = {},
    ): Promise<Answer> =>
      request(keks.url, path, {
        method,
        headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const own = (): Record<string, string> => ({ authorization: `Bearer ${stay.token}` });

    const ENDS: Record<string, () => Promise<unknown>> = {
      'a refresh token': () => post(keks.url, '/revoke', { token: stay.refresh_token }),
      'a session': () =>
        send('DELETE', `/sessions/${claimsOf(stay.token)['sid'] as string}`, undefined, own()),
      'all sessions': () => send('DELETE', '/sessions', undefined, own()),
      'a grant, by an operator': () =>
        send('DELETE', `/admin/grants/${claimsOf(stay.token)['sid'] as string}`, undefined, admin),
      'all of a user': () => send('POST', `/admin/users/${userId()}/revoke`, undefined, admin),
      'a user who is disabled': async () => {
        const answer = await send('PATCH', `/admin/users/${userId()}`, { disabled: true }, admin);
        await send('PATCH', `/admin/users/${userId()}`, { disabled: false }, admin);
        return answer;
      },
      'scope that is taken away': async () => {
        const answer = await send('PATCH', `/admin/users/${userId()}`, { scope: '' }, admin);
        await send('PATCH', `/admin/users/${userId()}`, { scope: 'cookies:eat' }, admin);
        return answer;
      },
      'a refresh token that is used twice': async () => {
        const { refresh_token: next } = (await refresh(keks, stay.refresh_token)).body as typeof stay;
        await refresh(keks, next);
        return refresh(keks, stay.refresh_token);
      },
      'by hand: a grant': () =>
        sql('UPDATE grants SET revoked_at = now() WHERE id = $1', [claimsOf(stay.token)['sid']]),
      'by hand: a grant that is deleted': () =>
        sql('DELETE FROM grants WHERE id = $1', [claimsOf(stay.token)['sid']]),
      'a new password': () =>
        send(
          'PUT',
          '/password',
          { old_password: PASSWORD, new_password: 'nine green biscuits over a red sun' },
          {
            authorization: `Bearer ${other}`,
          },
        ),
    };
    let other: string;

    it.each(Object.keys(ENDS))('%s', async (name) => {
      await stayed();
      if (name === 'a new password') other = await keks.login('Bob');
      const { sid } = claimsOf(stay.token);
      await ENDS[name]?.();
      await guard.catchUp();
      expect(guard.knows('grant', sid)).toBe(true);
      expect(guard.known.get(`grant ${hashed(sid)}`)?.sub).toBe(hashed(userId()));
    });

    it('all of an owner at once, by one row, which sweeping does not say again', async () => {
      await keks.addUser('Carl');
      const [{ id } = { id: '' }] = await sql<{ id: string }>(`SELECT id FROM users WHERE name = 'Carl'`);
      await sql(
        `INSERT INTO grants (kind, user_id, scope, expires_at) SELECT 'login', $1, 'a', now() + interval '1 day' FROM generate_series(1, 700)`,
        [id],
      );
      const [{ count: before } = { count: 0 }] = await sql<{ count: number }>(
        'SELECT count(*)::int FROM revocations',
      );
      await send('POST', `/admin/users/${id}/revoke`, undefined, admin);
      await guard.catchUp();
      expect(guard.knows('subject', id)).toBe(true);
      await expect
        .poll(
          async () =>
            (await sql('SELECT FROM grants WHERE user_id = $1 AND revoked_at IS NULL', [id])).length,
          PATIENTLY,
        )
        .toBe(0);
      expect(await sql('SELECT count(*)::int FROM revocations')).toEqual([{ count: before + 1 }]);
    });

    it.each([
      ['all of a client', (id: string) => send('POST', `/admin/clients/${id}/revoke`, undefined, admin)],
      [
        'a client that is disabled',
        (id: string) => send('PATCH', `/admin/clients/${id}`, { disabled: true }, admin),
      ],
      [
        'by hand: a client that is disabled',
        (id: string) => sql('UPDATE clients SET disabled_at = now() WHERE client_id = $1', [id]),
      ],
    ])('%s', async (_, end) => {
      const client = await addClient(keks, { tokenFormat: 'jwt' });
      const { access_token: token } = await clientToken(keks, client);
      await end(client.clientId);
      await guard.catchUp();
      const subs = [...guard.known.values()].map(({ sub }) => sub);
      expect(subs).toContain(hashed(client.clientId));
      expect((await post(keks.url, '/validate', { token })).status).toBe(401);
    });

    it('a signing key that is compromised', async () => {
      const { kid } = headerOf(await jwt());
      const { SigningKeys } = await import('../../src/auth/keys/signing-keys.js');
      const { OPERATOR } = await import('../../src/auth/request-origin.js');
      await keks.app
        .get(SigningKeys, { strict: false })
        .rotate({ actor: 'operator', origin: OPERATOR }, { compromised: true });
      await guard.catchUp();
      expect(guard.knows('key', kid)).toBe(true);
    });

    it('all of it, and nothing of what no JWT was issued for', async () => {
      await keks.addUser('Dora');
      const token = await keks.login('Dora', 'cookies:eat offline_access');
      const [{ count } = { count: 0 }] = await sql<{ count: number }>(
        'SELECT count(*)::int FROM revocations',
      );
      await revoke(token);
      const { refresh_token } = await stayLoggedIn(keks, 'Dora');
      await revoke(refresh_token);
      expect(await sql('SELECT count(*)::int FROM revocations')).toEqual([{ count }]);
      await sql('TRUNCATE grants CASCADE');
      await guard.catchUp();
      expect(guard.known.has('all ')).toBe(true);
    });
  });
});
