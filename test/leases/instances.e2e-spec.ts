import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JwtValidator } from 'keks-guard/jwt';
import { keksHere } from '../support/keks-here.js';
import { addClient, basic, submit, type TestClient } from '../support/oauth.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import {
  environment,
  PASSWORD,
  PATIENTLY,
  post,
  request,
  startTestApp,
  type TestApp,
} from '../support/test-app.js';

/** So long that whoever waits for the end of one fails. */
const LEASE_TTL = '60s';

describe('guards of several instances', () => {
  let keks: TestApp;
  let other: ServerProcess;
  let api: TestClient;
  const guards: JwtValidator[] = [];

  const settings = (): Record<string, string> => environment(keks.database.url, { LEASE_TTL });
  const registered = async (): Promise<unknown[]> =>
    (await keks.database.client.query('SELECT guards FROM guard_leases')).rows;

  beforeAll(async () => {
    keks = await startTestApp({ LEASE_TTL });
    await keks.addUser('Ann', 'cookies:eat keks:admin');
    api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
    other = await startProcess({ ...settings(), WORKERS: '2', LOG_LEVEL: 'error' });
  });

  afterEach(async () => {
    for (const one of guards.splice(0)) await one.onApplicationShutdown();
  });

  afterAll(async () => {
    await other.stop('SIGKILL');
    await keks.close();
  });

  /** It has a lease, and asks nobody about a token. */
  async function guard(at: string): Promise<JwtValidator> {
    const validator = new JwtValidator({
      issuer: keks.config.ISSUER,
      audience: keks.config.AUDIENCE,
      jwksUri: `${at}/.well-known/jwks.json`,
      introspectionEndpoint: 'http://127.0.0.1:9/nobody',
      revocationsEndpoint: `${at}/oauth/revocations`,
      revocations: 'exact',
      clientId: api.clientId,
      clientSecret: api.clientSecret,
      timeoutMs: 20_000,
    });
    guards.push(validator);
    expect(await isActive(validator, await jwt())).toBe(true);
    return validator;
  }

  async function jwt(): Promise<string> {
    const answer = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
    return (answer.body as { token: string }).token;
  }

  const isActive = async (validator: JwtValidator, token: string): Promise<boolean> =>
    (await validator.validate(token)).active;

  it('are told before a revoke is answered, whichever instance, worker or command line it came to', async () => {
    const all = [
      await guard(keks.url),
      await guard(other.url),
      await guard(other.url),
      await guard(other.url),
    ];
    const REVOKES: ((token: string) => Promise<unknown>)[] = [
      (token) => post(keks.url, '/revoke', { token }),
      (token) => post(other.url, '/revoke', { token }),
      (token) => post(other.url, '/revoke', { token }),
      async (token) => {
        const { code, stderr } = await keksHere(settings(), ['token', 'revoke'], { input: token });
        expect([code, stderr]).toEqual([0, '']);
      },
    ];
    for (const revoke of REVOKES) {
      const token = await jwt();
      expect(await Promise.all(all.map((one) => isActive(one, token)))).toEqual([true, true, true, true]);
      await revoke(token);
      expect(await Promise.all(all.map((one) => isActive(one, token)))).toEqual([false, false, false, false]);
    }
    const [token, spared] = [await jwt(), await addedUserToken('Bob')];
    const { code } = await keksHere(settings(), ['user', 'disable', 'Bob']);
    expect(code).toBe(0);
    const verdicts = await Promise.all(
      all.map(async (one) => [await isActive(one, token), await isActive(one, spared)]),
    );
    expect(verdicts).toEqual(all.map(() => [true, false]));
  });

  async function addedUserToken(user: string): Promise<string> {
    await keks.addUser(user);
    const answer = await post(keks.url, '/issue', { user, password: PASSWORD, format: 'jwt' });
    return (answer.body as { token: string }).token;
  }

  it('are listed by the command line, and doctor says that all are told', async () => {
    await guard(keks.url);
    await guard(other.url);
    const listed = async (): Promise<string[]> => {
      const { stdout } = await keksHere(settings(), ['guard', 'list', '--json']);
      const items = JSON.parse(stdout) as { client_id: string; instance: string }[];
      return [...new Set(items.map(({ client_id, instance }) => `${client_id} ${instance}`))];
    };
    await expect.poll(listed, PATIENTLY).toHaveLength(2);
    expect((await listed()).every((one) => one.startsWith(`${api.clientId} `))).toBe(true);
    const finding = async (): Promise<string> => {
      const { stdout } = await keksHere(settings(), ['doctor', '--json']);
      const { checks } = JSON.parse(stdout) as {
        checks: { check: string; status: string; message: string }[];
      };
      const { status, message } = checks.find(({ check }) => check === 'guards') ?? {};
      return `${status}: ${message}`;
    };
    expect(await finding()).toMatch(/^ok: \d+ of \d instances, all told$/);
    await keks.database.client.query(
      `INSERT INTO guard_leases VALUES (gen_random_uuid(), 7, '1:1:', 300, 1, now() - interval '1 minute')`,
    );
    expect(await finding()).toMatch(
      /^warn: instance .* has renewed no lease for 6\d s, and is still registered$/,
    );
    await keks.database.client.query('DELETE FROM guard_leases WHERE ttl_ms = 300');
  });

  it('are shown to administrators, and a revoke that waits for one which does not ask again', async () => {
    const name = randomBytes(16).toString('base64url');
    const ask = async (more: Record<string, string>): Promise<{ cursor: string; lease_ms: number }> =>
      (await submit(keks.url, '/oauth/revocations', { guard: name, ...more }, basic(api))).body as never;
    let told = await ask({});
    while (told.lease_ms === 0) told = await ask({ cursor: told.cursor });
    const [token, headers] = [await jwt(), { authorization: `Bearer ${await keks.login('Ann')}` }];
    const ended = post(keks.url, '/revoke', { token });
    const seen = async (): Promise<object | undefined> => {
      // an instance describes its guards when one comes
      await guard(keks.url);
      const { body } = await request(keks.url, '/admin/guards', { headers });
      const { items, instances } = body as { items: { name: string }[]; instances: object[] };
      expect(instances).toContainEqual(expect.objectContaining({ lease_ttl_ms: 60_000 }));
      return items.find((one) => one.name === name);
    };
    await expect
      .poll(seen, { timeout: 90_000, interval: 300 })
      .toMatchObject({ client_id: api.clientId, behind: 1, awaited_by: 1 });
    expect((await request(keks.url, '/admin/guards', {})).status).toBe(401);
    await ask({ leave: 'true' });
    expect((await ended).status).toBe(200);
  });

  it('are not waited for when they have stopped', async () => {
    const stopping = [await guard(keks.url), await guard(other.url)];
    const token = await jwt();
    expect(await registered()).not.toEqual([]);
    for (const one of stopping) await one.onApplicationShutdown();
    // entries go although the leases would last for a minute
    await expect.poll(registered, { timeout: 30_000, interval: 10 }).toEqual([]);
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
    await expect(stopping[0]?.validate(token)).rejects.toThrow();
  });

  it('of an instance that was stopped are waited for by nobody: its entry is gone with it', async () => {
    const short = await startProcess({ ...settings(), LEASE_TTL: '1s', LOG_LEVEL: 'error' });
    const left = await guard(short.url);
    expect(await registered()).toHaveLength(1);
    expect(await short.stop()).toBe(0);
    expect(await registered()).toEqual([]);
    // and without the authority it says nothing, about any token
    await expect
      .poll(async () => left.validate(await jwt()).catch(() => 'nothing'), PATIENTLY)
      .toBe('nothing');
  });

  it('that are new to an instance while it works know all that was revoked before', async () => {
    const first = await guard(keks.url);
    const token = await jwt();
    const [second] = await Promise.all([guard(keks.url), post(keks.url, '/revoke', { token })]);
    expect([await isActive(first, token), await isActive(second, token)]).toEqual([false, false]);
  });
});
