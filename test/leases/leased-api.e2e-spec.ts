import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DemoApi } from '../../src/auth/clients/demo-api.js';
import { DEMO_USER } from '../../src/auth/users/demo-identity.js';
import { commandLine } from '../support/keks-here.js';
import { environment, get, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

interface GuardState {
  readonly lease_ms: number;
  readonly answers: { readonly memory: number; readonly question: number; readonly refused: number };
}

const PATH = '/cookies/by-lease';

describe(`GET ${PATH}, the API of the story whose guard holds a lease`, () => {
  let keks: TestApp;
  const { run } = commandLine(() => environment(keks.database.url));

  beforeAll(async () => {
    // a lease so long that no slow machine outlives it
    keks = await startTestApp({ LEASE_TTL: '30s' }, undefined, { DEMO: true });
    await keks.addUser(DEMO_USER.user, `${DEMO_USER.scope} tea:pour`, DEMO_USER.password);
  });

  const issue = async (more: object): Promise<string> => {
    const { user, password } = DEMO_USER;
    const answer = await post(keks.url, '/issue', { user, password, scope: 'cookies:eat', ...more });
    return (answer.body as { token: string }).token;
  };
  const ask = (token?: string): Promise<Answer> => get(keks.url, PATH, token);
  const state = async (): Promise<GuardState> => (await get(keks.url, `${PATH}/guard`)).body as GuardState;

  it('refuses as every API does: without a token, with one for something else, with one that is no JWT', async () => {
    const nobody = await ask();
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Bearer realm="CookieFactory", scope="cookies:eat", resource_metadata="http/),
    ]);
    expect((await ask(await issue({ format: 'jwt', scope: 'tea:pour' }))).status).toBe(403);
    expect((await ask(await issue({}))).status).toBe(401);
  });

  it('takes a JWT, refuses it once it is revoked, and asks about it neither before nor after', async () => {
    const token = await issue({ format: 'jwt' });
    const eaten = await ask(token);
    expect([eaten.status, eaten.body, eaten.headers.get('cache-control')]).toEqual([
      200,
      ['Cookie', 'Cookie', 'Cookie'],
      'no-store',
    ]);
    const before = await state();
    expect(before.lease_ms).toBeGreaterThan(0);
    expect(before.answers.memory).toBeGreaterThan(0);
    expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
    const refused = await ask(token);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ]);
    const { answers } = await state();
    expect(answers).toEqual({ memory: before.answers.memory, question: 0, refused: 1 });
  });

  it('is one client, however many processes want it at once', async () => {
    const api = keks.app.get(DemoApi, { strict: false });
    const made = await Promise.all(Array.from({ length: 5 }, () => api.credentials()));
    expect(new Set(made.map(({ clientId, clientSecret }) => clientId + clientSecret)).size).toBe(1);
    const { rows } = await keks.database.client.query(
      `SELECT c.audience, count(*)::int AS secrets FROM clients c JOIN client_secrets s USING (client_id) GROUP BY c.id`,
    );
    expect(rows).toEqual([{ audience: [keks.config.AUDIENCE], secrets: 1 }]);
  });

  it('is what keks demo --lease plays where no client is named', async () => {
    const { code, stdout, stderr } = await run('demo', '--url', keks.url, '--lease', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const { steps } = JSON.parse(stdout) as { steps: { path: string; status: number; body: string }[] };
    expect(steps.map(({ path, status }) => `${path} ${status}`)).toEqual([
      '/issue 200',
      `${PATH} 200`,
      `${PATH}/guard 200`,
      '/revoke 200',
      `${PATH} 401`,
      `${PATH}/guard 200`,
    ]);
    expect((JSON.parse(steps.at(-1)?.body ?? '') as GuardState).answers.question).toBe(0);
    expect(stdout).not.toMatch(/[\w-]{20}\.[\w-]{20}/);
  });

  it('is offered by the story page', async () => {
    expect((await get(keks.url, '/')).body).toContain('value="lease"');
  });

  afterAll(async () => {
    await keks.app.close();
    const { rows } = await keks.database.client.query('SELECT FROM guard_leases');
    await keks.database.close();
    // it has given its lease back before the server stopped
    expect(rows).toEqual([]);
  });
});
