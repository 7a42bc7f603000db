import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { JwtValidator } from 'keks-guard/jwt';
import { connectionOf } from '../../src/database/pools.js';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { keks } from '../support/keks.js';
import {
  addClient,
  BY_OPERATOR,
  expectRefusal,
  issued,
  refresh,
  stayLoggedIn,
  submit,
} from '../support/oauth.js';
import {
  environment,
  get,
  PASSWORD,
  PATIENTLY,
  post,
  startTestApp,
  type TestApp,
} from '../support/test-app.js';
import { answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';
import { startReplication, type Replication } from './support/replication.js';

/** Two servers, and Keks that knows both. */
describe('a failover, with both hosts in DATABASE_URL', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  async function start(options: { synchronous: boolean }): Promise<{ app: TestApp; servers: Replication }> {
    const servers = await startReplication(options);
    closing.push(() => servers.stop());
    const client = new Client(connectionOf(servers.primary));
    client.on('error', () => undefined);
    await client.connect();
    const close = async (): Promise<void> => client.end().catch(() => undefined);
    const app = await startTestApp({}, { url: servers.both, client, close });
    closing.push(() => app.close());
    await app.addUser('Ann');
    return { app, servers };
  }

  const ready = async ({ url }: TestApp): Promise<void> =>
    expect.poll(async () => (await get(url, '/health/ready')).status, PATIENTLY).toBe(200);

  it('to a synchronous standby loses no revoke that was answered, and needs no restart', async () => {
    const { app, servers } = await start({ synchronous: true });
    const tokens = await Promise.all(Array.from({ length: 60 }, () => app.login('Ann')));
    const acknowledged: string[] = [];
    const revoking = (async () => {
      for (const token of tokens)
        if ((await post(app.url, '/revoke', { token })).status === 200) acknowledged.push(token);
    })();
    await expect.poll(() => acknowledged.length, { timeout: 30_000, interval: 1 }).toBeGreaterThan(10);
    await servers.failOver();
    await revoking;
    await ready(app);
    for (const token of acknowledged) expect((await get(app.url, '/cookies', token)).status).toBe(401);
    expect((await get(app.url, '/cookies', await app.login('Ann'))).status).toBe(200);
  });

  it('is noticed by guards that check JWTs alone: they fetch everything again, and stay exact', async () => {
    const { app, servers } = await start({ synchronous: true });
    const api = await addClient(app, { name: 'bakery', scope: [], audience: [app.config.AUDIENCE] });
    const guard = new JwtValidator({
      issuer: app.config.ISSUER,
      audience: app.config.AUDIENCE,
      jwksUri: `${app.url}/.well-known/jwks.json`,
      introspectionEndpoint: 'http://127.0.0.1:9/nobody',
      revocationsEndpoint: `${app.url}/oauth/revocations`,
      revocations: 'exact',
      clientId: api.clientId,
      clientSecret: api.clientSecret,
      timeoutMs: 20_000,
    });
    closing.push(() => guard.onApplicationShutdown());
    const jwt = async (): Promise<string> => {
      const answer = await post(app.url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
      return (answer.body as { token: string }).token;
    };
    const verdict = (token: string): Promise<boolean | 'none'> =>
      guard.validate(token).then(
        ({ active }) => active,
        () => 'none',
      );
    const [before, living, after] = [await jwt(), await jwt(), await jwt()];
    await expect.poll(() => verdict(living), PATIENTLY).toBe(true);
    expect((await post(app.url, '/revoke', { token: before })).status).toBe(200);
    expect(await verdict(before)).toBe(false);
    await servers.failOver();
    await ready(app);
    await expect.poll(() => verdict(living), PATIENTLY).toBe(true);
    expect(await verdict(before)).toBe(false);
    expect((await post(app.url, '/revoke', { token: after })).status).toBe(200);
    const said = await verdict(after);
    // it may have begun again just now, and then it knows nothing
    expect(['none', false]).toContain(said);
    await expect.poll(() => verdict(after), PATIENTLY).not.toBe('none');
    expect([await verdict(after), await verdict(living)]).toEqual([false, true]);
  });

  it('to an asynchronous one that lags: what this process has answered is done again, and nothing made since ends', async () => {
    const { app, servers } = await start({ synchronous: false });
    const tokens = await Promise.all(Array.from({ length: 10 }, () => app.login('Ann')));
    const other = await app.login('Ann');
    await app.addUser('Bob');
    const bobs = await Promise.all([app.login('Bob'), app.login('Bob')]);
    await expect
      .poll(async () => {
        const { rows } = await app.database.client.query(
          'SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()',
        );
        return rows.length;
      }, PATIENTLY)
      .toBe(1);
    await servers.sever();
    for (const token of tokens) expect((await post(app.url, '/revoke', { token })).status).toBe(200);
    const [own = ''] = bobs;
    const ended = await fetch(`${app.url}/sessions`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${own}` },
    });
    expect(ended.status).toBeLessThan(300);
    await servers.failOver();
    await ready(app);
    const fresh = await app.login('Bob');
    await expect
      .poll(async () => {
        const found = await Promise.all([...tokens, ...bobs].map((token) => get(app.url, '/cookies', token)));
        return new Set(found.map(({ status }) => status));
      }, PATIENTLY)
      .toEqual(new Set([401]));
    for (const token of [other, fresh]) expect((await get(app.url, '/cookies', token)).status).toBe(200);
    await expect
      .poll(() => app.log.join(''), PATIENTLY)
      .toMatch(/were done again, of which it did not know [1-9]/);
  });

  /** Everything that was there before the standby fell behind, each with a way to end it and a token that is dead then. */
  describe('to an asynchronous one that lags, ends again', () => {
    let app: TestApp;
    let servers: Replication;
    const DONE = 'https://app.example/done';

    async function fellBehind(prepare: () => Promise<void>): Promise<void> {
      ({ app, servers } = await start({ synchronous: false }));
      await prepare();
      await expect
        .poll(
          async () =>
            (
              await app.database.client.query(
                'SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()',
              )
            ).rows.length,
          PATIENTLY,
        )
        .toBe(1);
      await servers.sever();
    }

    async function dead(token: string): Promise<void> {
      expect((await get(app.url, '/cookies', token)).status).toBe(401);
      await servers.failOver();
      await ready(app);
      await expect.poll(async () => (await get(app.url, '/cookies', token)).status, PATIENTLY).toBe(401);
    }

    const publicApp = async (): Promise<string> => {
      const given = { name: 'app', scope: ['cookies:eat'], audience: [], resources: [] } as const;
      const one = { ...given, tokenFormat: 'opaque', redirectUris: [DONE] } as const;
      return (await app.app.get(ClientsService).addPublic(one, BY_OPERATOR)).clientId;
    };

    /** What somebody gets who says yes, and the form that got it. */
    async function letIn(clientId: string): Promise<{ form: Record<string, string>; token: string }> {
      const { verifier, challenge } = pkce();
      const asked = { client_id: clientId, redirect_uri: DONE };
      const visitor = new Visitor(app.url);
      const page = await visitor.signIn(
        await visitor.open(authorizePath({ ...asked, code_challenge: challenge })),
        'Ann',
      );
      const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
      const form = { grant_type: 'authorization_code', code, code_verifier: verifier, ...asked };
      return { form, token: issued(await submit(app.url, '/oauth/token', form)).access_token };
    }

    it('a login whose refresh token was stolen', async () => {
      let [stolen, token] = ['', ''];
      await fellBehind(async () => {
        stolen = (await stayLoggedIn(app, 'Ann')).refresh_token;
        const next = issued(await refresh(app, stolen));
        token = next.access_token;
        issued(await refresh(app, next.refresh_token ?? ''));
      });
      expectRefusal(await refresh(app, stolen), 400, 'invalid_grant');
      await dead(token);
    });

    it('a consent whose code was used again', async () => {
      let given = { form: {}, token: '' };
      await fellBehind(async () => {
        given = await letIn(await publicApp());
      });
      expectRefusal(await submit(app.url, '/oauth/token', given.form), 400, 'invalid_grant');
      await dead(given.token);
    });

    it('a consent that was withdrawn, and none that was given since', async () => {
      let [clientId, token] = ['', ''];
      await fellBehind(async () => {
        clientId = await publicApp();
        ({ token } = await letIn(clientId));
      });
      const headers = { authorization: `Bearer ${await app.login('Ann')}` };
      const answer = await fetch(`${app.url}/consents/${clientId}`, { method: 'DELETE', headers });
      expect(answer.status).toBe(204);
      await dead(token);
      const since = await letIn(clientId);
      expect((await get(app.url, '/cookies', since.token)).status).toBe(200);
    });

    it.each([
      ['a login', (id: string) => ['session', 'end', id]],
      ['all that a person has', () => ['user', 'passwd', 'Ann', '--password-stdin']],
    ])('what a command has ended: %s', async (_, words) => {
      let [token, other] = ['', ''];
      await fellBehind(async () => {
        token = await app.login('Ann');
        await app.addUser('Bob');
        other = await app.login('Bob');
      });
      const { rows } = await app.database.client.query<{ id: string }>(
        `SELECT g.id FROM grants g JOIN users u ON u.id = g.user_id WHERE u.name = 'Ann'`,
      );
      // a process of its own: it is gone when the primary goes
      const environs = environment(servers.primary);
      const input = 'nine grey kettles hum under the stairs';
      const { code, stderr } = await keks(environs, words(rows[0]?.id ?? ''), { input });
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      await expect.poll(() => app.log.join(''), PATIENTLY).toContain('remembered for a failover');
      await dead(token);
      expect((await get(app.url, '/cookies', other)).status).toBe(200);
    });
  });
});
