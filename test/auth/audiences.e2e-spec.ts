import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { bearerChallenge } from '../support/challenge-parser.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  clientToken,
  refresh,
  submit,
  type TestClient,
} from '../support/oauth.js';
import { get, PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { expectError } from '../support/wire.js';

const TEA = 'https://tea.example';
const HERE = 'http://127.0.0.1:3000';

let keks: TestApp;
let tea: TestClient;
/** Another name of the machine than the one that tokens are for. */
let misspelled: TestClient;

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'cookies:eat tea:pour keks:admin');
  tea = await addClient(keks, { name: 'tea', scope: [], audience: [TEA] });
  misspelled = await addClient(keks, { scope: [], audience: ['http://localhost:3000'] });
});

afterAll(() => keks.close());

const introspected = async (token: string, as: TestClient): Promise<Record<string, unknown>> =>
  (await submit(keks.url, '/oauth/introspect', { token }, basic(as))).body as Record<string, unknown>;

const logIn = (more: object): Promise<Answer> =>
  post(keks.url, '/issue', { user: 'Boss', password: PASSWORD, ...more });

const tokenFrom = ({ status, body }: Answer): string => {
  expect(status).toBe(200);
  return (body as { token: string }).token;
};

/** Lines that the operator reads, at `warn`. */
const warnings = (): string[] =>
  keks.log
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level, msg }) => level === 40 && msg.startsWith('a good token'))
    .map(({ msg }) => msg);

describe('POST /issue with a resource (RFC 8707)', () => {
  it('is for that API, has nothing of the authority’s own, and opens nothing here', async () => {
    const answer = await logIn({ resource: TEA });
    expect(answer.body).toMatchObject({ scope: 'cookies:eat tea:pour' });
    const token = tokenFrom(answer);
    expect(await introspected(token, tea)).toMatchObject({ aud: TEA, scope: 'cookies:eat tea:pour' });
    for (const path of ['/cookies', '/keys', '/sessions', '/admin/users'])
      expectError(await get(keks.url, path, token), 401, 'invalid_token');
    expect((await get(keks.url, '/admin/users', tokenFrom(await logIn({})))).status).toBe(200);
  });

  it('a JWT of it has the audience, and a refresh keeps it', async () => {
    const { body } = await logIn({ resource: TEA, scope: 'tea:pour offline_access', format: 'jwt' });
    const { refresh_token: token } = body as { refresh_token: string };
    const refreshed = (await refresh(keks, token)).body as { access_token: string };
    expect(await introspected(refreshed.access_token, tea)).toMatchObject({ aud: TEA, scope: 'tea:pour' });
  });

  it('AUDIENCE itself is what everybody gets', async () => {
    const answer = await logIn({ resource: HERE });
    expect(answer.body).toMatchObject({ scope: 'cookies:eat tea:pour keks:admin keks:account' });
    expect((await get(keks.url, '/cookies', tokenFrom(answer))).status).toBe(200);
  });

  it('400 for an API that nobody is, and for a scope that only this server understands', async () => {
    expectError(await logIn({ resource: 'https://nobody.example' }), 400, 'invalid_target');
    for (const scope of ['keks:account', 'tea:pour keks:admin'])
      expectError(await logIn({ resource: TEA, scope }), 400, 'invalid_scope');
    // who it is comes before what is wished
    expectError(
      await logIn({ password: 'wrong', resource: 'https://nobody.example' }),
      401,
      'invalid_credentials',
    );
  });
});

describe('POST /validate with audience and scope', () => {
  const validate = (token: string, more: object): Promise<Answer> =>
    post(keks.url, '/validate', { token, ...more });

  it('200 for the right ones', async () => {
    const token = await keks.login('Boss');
    for (const more of [
      {},
      { audience: HERE },
      { scope: 'cookies:eat' },
      { audience: HERE, scope: 'tea:pour cookies:eat' },
    ])
      expect((await validate(token, more)).status).toBe(200);
  });

  it('401 for another audience, as for a dead token; 403 for a scope that it lacks; 400 for one that is none', async () => {
    const token = await keks.login('Boss', 'cookies:eat');
    const dead = await validate('x', {});
    const other = await validate(token, { audience: TEA });
    expect([other.status, other.body]).toEqual([401, dead.body]);
    expect(other.headers.get('www-authenticate')).toBe(dead.headers.get('www-authenticate'));
    const narrow = await validate(token, { scope: 'cookies:eat tea:pour' });
    expectError(narrow, 403, 'insufficient_scope');
    expect(bearerChallenge(narrow.headers.get('www-authenticate'))).toMatchObject({
      scope: 'cookies:eat tea:pour',
    });
    expectError(await validate(token, { scope: 'a  b' }), 400, 'invalid_scope');
    expectError(await validate(token, { audience: 7 }), 400, 'invalid_request');
  });

  it('a token for another API is good where that API asks', async () => {
    const token = tokenFrom(await logIn({ resource: TEA }));
    expect((await validate(token, { audience: TEA, scope: 'tea:pour' })).status).toBe(200);
    expect((await validate(token, { audience: HERE })).status).toBe(401);
  });
});

describe('what a client may ask tokens for', () => {
  it('is so much of its scope as was written after the API', async () => {
    const baker = await addClient(keks, {
      scope: ['cookies:eat', 'tea:pour'],
      resources: [`${TEA} tea:pour tea:drink`],
    });
    const { access_token: token, scope } = await clientToken(keks, baker, { resource: TEA });
    expect(scope).toBe('tea:pour');
    expect(await introspected(token, tea)).toMatchObject({ scope: 'tea:pour' });
    expect((await clientToken(keks, baker)).scope).toBe('cookies:eat tea:pour');
    const wish = { grant_type: 'client_credentials', resource: TEA, scope: 'cookies:eat' };
    expectError(await submit(keks.url, '/oauth/token', wish, basic(baker)), 400, 'invalid_scope');
  });

  it('given more, its tokens live; given less, they are dead', async () => {
    const baker = await addClient(keks, {
      scope: ['cookies:eat', 'tea:pour'],
      resources: [`${TEA} tea:pour`],
    });
    const clients = keks.app.get(ClientsService);
    const { access_token: token } = await clientToken(keks, baker, { resource: TEA });
    for (const [resources, active] of [
      [[`${TEA} cookies:eat tea:pour`], true],
      [[TEA], true],
      [[`${TEA} tea:pour`], false],
    ] as const) {
      await clients.change(baker.clientId, { resources }, BY_OPERATOR);
      expect((await introspected(token, tea))['active']).toBe(active);
    }
  });
});

describe('a good token that came to the wrong API', () => {
  it('the caller hears {"active":false}; the log of Keks says once for whom it was', async () => {
    const token = await keks.login('Boss');
    for (let round = 0; round < 3; round += 1)
      expect(await introspected(token, misspelled)).toEqual({ active: false });
    const mine = warnings().filter((line) => line.includes(misspelled.clientId));
    expect(mine).toEqual([
      `a good token for "${HERE}" came to "http://localhost:3000" (client ${misspelled.clientId}) and was refused: this is one address, spelled in two ways, and audiences are compared letter by letter`,
    ]);
  });

  it('an API without an audience is told of, too', async () => {
    const nobody = await addClient(keks, { scope: [] });
    await introspected(await keks.login('Boss'), nobody);
    expect(warnings().filter((line) => line.includes(nobody.clientId))).toEqual([
      expect.stringContaining('came to an API without an audience'),
    ]);
  });

  it('nothing is said of a dead token, and of a refresh token', async () => {
    const quiet = await addClient(keks, { scope: [], audience: ['https://quiet.example'] });
    const { body } = await logIn({ scope: 'cookies:eat offline_access' });
    const { token, refresh_token: refreshToken } = body as { token: string; refresh_token: string };
    await post(keks.url, '/revoke', { token });
    for (const one of [token, refreshToken]) await introspected(one, quiet);
    expect(warnings().filter((line) => line.includes(quiet.clientId))).toEqual([]);
  });

  it('the guard of Keks’s own API, and POST /validate, say it as well; and never the token', async () => {
    const token = tokenFrom(await logIn({ resource: TEA }));
    await get(keks.url, '/cookies', token);
    await post(keks.url, '/validate', { token, audience: 'http://localhost:3000' });
    await post(keks.url, '/validate', { token, audience: token });
    expect(warnings()).toContainEqual(
      expect.stringContaining(`a good token for "${TEA}" came to "${HERE}" and`),
    );
    expect(warnings()).toContainEqual(
      expect.stringContaining(`a good token for "${TEA}" came to "http://localhost:3000" and`),
    );
    expect(keks.log.join('')).not.toContain(token);
  });
});
