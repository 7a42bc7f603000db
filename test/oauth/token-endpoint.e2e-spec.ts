import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { parseChallenges } from '../support/challenge-parser.js';
import {
  addClient,
  addClientNamed,
  base64,
  basic,
  BY_OPERATOR,
  clientToken,
  expectRefusal,
  isAlive,
  issued,
  secretPost,
  submit,
  type Parameters,
  type TestClient,
} from '../support/oauth.js';
import { takeAway } from '../support/outage.js';
import { exchange } from '../support/raw-http.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import { tally } from '../support/wire.js';

const GRANT = { grant_type: 'client_credentials' };
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const OVEN_API = 'https://oven.example/api?v=1';

let keks: TestApp;
let oven: TestClient;
let clients: ClientsService;

const ask = (
  parameters: Parameters = GRANT,
  headers: Record<string, string> = basic(oven),
): Promise<Answer> => submit(keks.url, '/oauth/token', parameters, headers);

async function introspected(token: string, as = oven): Promise<Record<string, unknown>> {
  const { status, body } = await submit(keks.url, '/oauth/introspect', { token }, basic(as));
  expect(status).toBe(200);
  return body as Record<string, unknown>;
}

const grantsOf = async (clientId: string): Promise<{ id: string; living: boolean }[]> => {
  const { rows } = await keks.database.client.query<{ id: string; living: boolean }>(
    'SELECT id, revoked_at IS NULL AS living FROM grants WHERE client_id = $1 ORDER BY created_at, id',
    [clientId],
  );
  return rows;
};

const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());

const expectChallenged = (answer: Answer): void => {
  expectRefusal(answer, 401, 'invalid_client');
  const [challenge] = parseChallenges(answer.headers.get('www-authenticate') ?? '');
  expect(challenge?.params.get('realm')).toBe('CookieFactory');
};

const escaped = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const credentials = (): string => basic(oven).authorization.slice(6);

const refusedAs = async ({ clientId, clientSecret }: TestClient): Promise<string> => {
  const { authorization } = basic({ clientId, clientSecret });
  const raw = await exchange(keks.url, {
    method: 'POST',
    path: '/oauth/token',
    headers: ['Host: test', FORM, `Authorization: ${authorization}`],
    body: 'grant_type=client_credentials',
  });
  expect(raw.status).toBe(401);
  return raw.comparable;
};

const askAt = (query: string, headers: Record<string, string>): Promise<Answer> =>
  submit(keks.url, `/oauth/token?${query}`, GRANT, headers);

beforeAll(async () => {
  keks = await startTestApp();
  clients = keks.app.get(ClientsService);
  oven = await addClient(keks, { resources: [OVEN_API, 'urn:oven', 'urn:nobody'] });
});

afterAll(() => keks.close());

describe('POST /oauth/token, grant_type=client_credentials (RFC 6749 §4.4)', () => {
  describe('200', () => {
    it('with exactly access_token, token_type, expires_in and scope', async () => {
      const { status, body } = await ask();
      expect([status, body]).toEqual([
        200,
        {
          access_token: expect.stringMatching(/^kat_[A-Za-z0-9_-]{54}$/),
          token_type: 'Bearer',
          expires_in: 3_600,
          scope: 'cookies:eat cookies:bake',
        },
      ]);
    });

    it('never with a refresh token (RFC 6749 §4.4.3)', async () => {
      for (const scope of ['', 'cookies:eat', 'cookies:bake cookies:eat'])
        expect(issued(await ask({ ...GRANT, scope }))).not.toHaveProperty('refresh_token');
      const { rows } = await keks.database.client.query(
        `SELECT count(*)::int AS n FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id WHERE g.kind = 'client'`,
      );
      expect(rows).toEqual([{ n: 0 }]);
    });

    it('not to be stored by anybody (RFC 6749 §5.1)', async () => {
      const { headers } = await ask();
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('pragma')).toBe('no-cache');
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    });

    it('for no page of another origin: no CORS', async () => {
      const origin = 'https://evil.example';
      const answers = [
        await ask(GRANT, { ...basic(oven), origin }),
        await ask(GRANT, { authorization: 'Basic eDp5', origin }),
        await request(keks.url, '/oauth/token', {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST' },
        }),
      ];
      for (const { headers } of answers)
        expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    });

    it('and the token does what its scope says, and no more', async () => {
      const { access_token: eater } = await clientToken(keks, oven, { scope: 'cookies:eat' });
      const { access_token: baker } = await clientToken(keks, oven, { scope: 'cookies:bake' });
      expect((await get(keks.url, '/cookies', eater)).status).toBe(200);
      expect((await get(keks.url, '/cookies', baker)).status).toBe(403);
    });

    it('and is a new token each time', async () => {
      const tokens = await Promise.all(Array.from({ length: 8 }, () => clientToken(keks, oven)));
      expect(new Set(tokens.map((one) => one.access_token)).size).toBe(8);
    });

    it('until it expires, not on or after it', async () => {
      const { access_token: token, expires_in } = await clientToken(keks, oven);
      const { exp } = (await introspected(token)) as { exp: number };
      keks.clock.advance(expires_in - 30);
      expect(await isAlive(keks, token)).toBe(true);
      keks.clock.goTo(exp);
      expect(await isAlive(keks, token)).toBe(false);
    });
  });

  describe('one standing grant a client', () => {
    it('however many first requests come at once', async () => {
      const fresh = await addClient(keks);
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(GRANT, basic(fresh))));
      expect(tally(answers)).toEqual({ 200: 50 });
      expect(await grantsOf(fresh.clientId)).toEqual([{ id: expect.any(String), living: true }]);
      const alive = await Promise.all(answers.map((answer) => isAlive(keks, issued(answer).access_token)));
      expect(alive.filter(Boolean)).toHaveLength(50);
    });

    it('and a new one when it was revoked, which brings no token back', async () => {
      const fresh = await addClient(keks);
      const { access_token: before } = await clientToken(keks, fresh);
      expect(await clients.revokeAll(fresh.clientId, BY_OPERATOR)).toBe(1);
      const { access_token: after } = await clientToken(keks, fresh);
      expect(await grantsOf(fresh.clientId)).toMatchObject([{ living: false }, { living: true }]);
      expect([await isAlive(keks, before), await isAlive(keks, after)]).toEqual([false, true]);
    });
  });

  describe('scope (RFC 6749 §3.3)', () => {
    it.each([
      ['absent', {}, 'cookies:eat cookies:bake'],
      ['empty', { scope: '' }, 'cookies:eat cookies:bake'],
      ['all of it', { scope: 'cookies:eat cookies:bake' }, 'cookies:eat cookies:bake'],
      ['less', { scope: 'cookies:bake' }, 'cookies:bake'],
      ['in another order', { scope: 'cookies:bake cookies:eat' }, 'cookies:bake cookies:eat'],
      ['one twice', { scope: 'cookies:eat cookies:eat' }, 'cookies:eat'],
    ])('%s', async (_, parameters, scope) => {
      const answer = issued(await ask({ ...GRANT, ...parameters }));
      expect(answer.scope).toBe(scope);
      expect((await introspected(answer.access_token))['scope']).toBe(scope);
    });

    it('of a client that has none: said all the same', async () => {
      const nobody = await addClient(keks, { scope: [] });
      expect((await clientToken(keks, nobody)).scope).toBe('');
      expectRefusal(await ask({ ...GRANT, scope: 'cookies:eat' }, basic(nobody)), 400, 'invalid_scope');
    });

    it.each([
      ['more than the client has', 'cookies:eat cookies:steal'],
      ['another case', 'Cookies:eat'],
      ['offline_access', 'offline_access'],
      ['offline_access beside what it has', 'cookies:eat offline_access'],
      ['an account', 'keks:account'],
      ['administration', 'keks:admin'],
      ['two spaces', 'cookies:eat  cookies:bake'],
      ['a space first', ' cookies:eat'],
      ['a space last', 'cookies:eat '],
      ['a space alone', ' '],
      ['a tab', 'cookies:eat\tcookies:bake'],
      ['a line feed', 'cookies:eat\ncookies:bake'],
      ['a quote', '"cookies:eat"'],
      ['a backslash', 'cookies\\:eat'],
      ['a comma', 'cookies:eat,cookies:bake'],
      ['a character that is not ASCII', 'cookies:eat🍪'],
      ['10,000 of them', 'a '.repeat(9_999) + 'a'],
    ])('400 invalid_scope for %s', async (_, scope) => {
      expectRefusal(await ask({ ...GRANT, scope }), 400, 'invalid_scope');
    });

    it('taken from a client kills what it has, and the next token has what is left', async () => {
      const fresh = await addClient(keks);
      const { access_token: before } = await clientToken(keks, fresh);
      await clients.change(fresh.clientId, { scope: ['cookies:eat'] }, BY_OPERATOR);
      expect(await isAlive(keks, before)).toBe(false);
      expect((await clientToken(keks, fresh)).scope).toBe('cookies:eat');
      expectRefusal(await ask({ ...GRANT, scope: 'cookies:bake' }, basic(fresh)), 400, 'invalid_scope');
    });
  });

  describe('resource (RFC 8707)', () => {
    beforeAll(() => addClient(keks, { audience: [OVEN_API, 'urn:oven'] }));

    it.each([
      ['absent: AUDIENCE, which is the issuer by default', {}, 'http://127.0.0.1:3000'],
      ['empty: as absent', { resource: '' }, 'http://127.0.0.1:3000'],
      ['AUDIENCE itself', { resource: 'http://127.0.0.1:3000' }, 'http://127.0.0.1:3000'],
      ['the audience of a registered client', { resource: OVEN_API }, OVEN_API],
      ['another one of the same client', { resource: 'urn:oven' }, 'urn:oven'],
    ])('%s', async (_, parameters, audience) => {
      const { access_token: token } = await clientToken(keks, oven, parameters);
      expect((await introspected(token))['aud']).toBe(audience);
    });

    it('gives a client tokens only for its own APIs and for those that it was given', async () => {
      const [weather, payroll] = ['https://weather.example', 'https://payroll.example'];
      await addClient(keks, { audience: [payroll] });
      const client = await addClient(keks, { audience: [weather] });
      const wish = { ...GRANT, resource: payroll };
      expectRefusal(await ask(wish, basic(client)), 400, 'invalid_target');
      const { access_token: own } = await clientToken(keks, client, { resource: weather });
      await clients.change(client.clientId, { resources: [payroll] }, BY_OPERATOR);
      const { access_token: given } = await clientToken(keks, client, { resource: payroll });
      expect((await introspected(given, client))['aud']).toBe(payroll);
      expect((await introspected(own, client))['active']).toBe(true);
      // taken back: what it has is dead, and there is no more
      await clients.change(client.clientId, { resources: [] }, BY_OPERATOR);
      expect((await introspected(given, client))['active']).toBe(false);
      expectRefusal(await ask(wish, basic(client)), 400, 'invalid_target');
    });

    it('gives nobody one for an API that nobody is', async () => {
      expectRefusal(await ask({ ...GRANT, resource: 'urn:nobody' }, basic(oven)), 400, 'invalid_target');
    });

    it('lets a client from before there was a choice ask for any, until somebody chooses', async () => {
      const client = await addClient(keks);
      await keks.database.client.query('UPDATE clients SET resources = NULL WHERE client_id = $1', [
        client.clientId,
      ]);
      const { access_token: token } = await clientToken(keks, client, { resource: OVEN_API });
      await clients.change(client.clientId, { resources: ['urn:oven'] }, BY_OPERATOR);
      expect((await introspected(token, client))['active']).toBe(false);
      expectRefusal(await ask({ ...GRANT, resource: OVEN_API }, basic(client)), 400, 'invalid_target');
      await clientToken(keks, client, { resource: 'urn:oven' });
    });

    it('makes a token that no other API takes', async () => {
      const { access_token: token } = await clientToken(keks, oven, { resource: OVEN_API });
      const { status, body } = await get(keks.url, '/cookies', token);
      expect([status, (body as { error: string }).error]).toEqual([401, 'invalid_token']);
    });

    it.each([
      ['unknown', 'https://other.example'],
      ['malformed', 'oven'],
      ['malformed: no host', 'https://'],
      ['malformed: a space', `${OVEN_API} `],
      ['malformed: a percent sign', 'https://oven.example/%zz'],
      ['relative', '/api?v=1'],
      ['with a fragment', `${OVEN_API}#door`],
      ['with an empty fragment', `${OVEN_API}#`],
      ['AUDIENCE with a fragment', 'http://127.0.0.1:3000#door'],
      ['AUDIENCE with a slash', 'http://127.0.0.1:3000/'],
      ['spelled differently', OVEN_API.toUpperCase()],
      ['without its query', 'https://oven.example/api'],
      ['two in one', `${OVEN_API} urn:oven`],
      ['a pattern', '%'],
      ['an array of Postgres', '{urn:oven}'],
    ])('400 invalid_target: %s', async (_, resource) => {
      expectRefusal(await ask({ ...GRANT, resource }), 400, 'invalid_target');
    });

    it('400 invalid_request: twice, the same or another, because one at most is served', async () => {
      for (const second of [OVEN_API, 'urn:oven', ''])
        expectRefusal(
          await ask([...Object.entries(GRANT), ['resource', OVEN_API], ['resource', second]]),
          400,
          'invalid_request',
        );
    });
  });

  describe("token_format is the client's", () => {
    it('jwt: a self-contained token that the authority takes as well (RFC 9068)', async () => {
      const signer = await addClient(keks, { tokenFormat: 'jwt' });
      const { access_token: token, expires_in } = await clientToken(keks, signer, { scope: 'cookies:eat' });
      const [header = '', claims = ''] = token.split('.');
      expect(read(header)).toMatchObject({ typ: 'at+jwt', alg: 'ES256', kid: expect.any(String) });
      expect(read(claims)).toMatchObject({
        iss: keks.config.ISSUER,
        aud: keks.config.AUDIENCE,
        sub: signer.clientId,
        client_id: signer.clientId,
        scope: 'cookies:eat',
        jti: expect.any(String),
      });
      const { iat, exp } = read(claims) as { iat: number; exp: number };
      expect(exp - iat).toBe(expires_in);
      expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    });

    it('opaque by default, whatever the request says', async () => {
      for (const name of ['format', 'token_format', 'requested_token_type'])
        expect((await clientToken(keks, oven, { [name]: 'jwt' })).access_token).toMatch(/^kat_/);
    });
  });
});

describe('client authentication (RFC 6749 §2.3)', () => {
  describe('client_secret_basic', () => {
    it.each([
      ['a colon', 'kekse:lecker'],
      ['a plus', 'a+b'],
      ['a percent sign', '100%'],
      ['what looks encoded', 'a%2Bb%3A'],
      ['a space', 'a b'],
      ['characters beyond ASCII', 'Krümel 🍪 & Söhne'],
      ['all of them', ':+% é=&?/\\"\'~*'],
    ])('form-encoded before it is joined: %s in the id', async (_, clientId) => {
      const client = await addClientNamed(keks, clientId);
      expect(issued(await ask(GRANT, basic(client))).scope).toBe('cookies:eat cookies:bake');
      const { sub } = await introspected((await clientToken(keks, client)).access_token, client);
      expect(sub).toBe(clientId);
    });

    it('whatever is percent-encoded that need not be, in either case', async () => {
      for (const spell of [escaped, (text: string) => escaped(text).toUpperCase()]) {
        const credentials = base64(`${spell(oven.clientId)}:${spell(oven.clientSecret)}`);
        expect((await ask(GRANT, { authorization: `Basic ${credentials}` })).status).toBe(200);
      }
    });

    it.each([
      ['a plus is a space', 'a+b plain', 'a+b plain'],
      ['a percent sign begins an escape', '5%41', '5%41'],
      ['the first colon ends the id', 'a:b', 'a:b'],
    ])('401 for what was not encoded: %s', async (_, clientId, sent) => {
      const { clientSecret } = await addClientNamed(keks, clientId);
      expectChallenged(await ask(GRANT, { authorization: `Basic ${base64(`${sent}:${clientSecret}`)}` }));
    });

    it.each(['basic', 'BASIC', 'bAsIc'])('the scheme spelled %s (RFC 9110 §11.1)', async (scheme) => {
      const { authorization } = basic(oven);
      expect((await ask(GRANT, { authorization: authorization.replace('Basic', scheme) })).status).toBe(200);
    });

    it.each([
      ['no credentials after the scheme', () => 'Basic'],
      ['what is not Base64', () => 'Basic ?'],
      ['Base64 with something after it', () => `Basic ${credentials()} x`],
      ['a parameter', () => `Basic ${credentials()}, realm="x"`],
      ['no colon', () => `Basic ${base64(oven.clientId)}`],
      ['an empty id', () => `Basic ${base64(`:${oven.clientSecret}`)}`],
      ['an empty secret', () => `Basic ${base64(`${oven.clientId}:`)}`],
      ['the id and the secret swapped', () => `Basic ${base64(`${oven.clientSecret}:${oven.clientId}`)}`],
      ['a truncated escape', () => `Basic ${base64(`%4:${oven.clientSecret}`)}`],
      ['an escape that is not UTF-8', () => `Basic ${base64(`%ff:${oven.clientSecret}`)}`],
      ['an overlong escape', () => `Basic ${base64(`%c0%80:${oven.clientSecret}`)}`],
      ['NUL', () => `Basic ${base64(`${oven.clientId}%00:${oven.clientSecret}`)}`],
      ['bytes that are not UTF-8', () => `Basic ${Buffer.from([0xff, 0x3a, 0x78]).toString('base64')}`],
      ['a space after the secret', () => `Basic ${base64(`${oven.clientId}:${oven.clientSecret} `)}`],
      ['the name of the first-party client', () => `Basic ${base64('keks:')}`],
      ['another scheme', () => `Bearer ${oven.clientSecret}`],
      ['an empty header', () => ''],
    ])('401 invalid_client with a Basic challenge for %s', async (_, authorization) => {
      const raw = await exchange(keks.url, {
        method: 'POST',
        path: '/oauth/token',
        headers: ['Host: test', FORM, `Authorization: ${authorization()}`],
        body: 'grant_type=client_credentials',
      });
      expect([raw.status, JSON.parse(raw.body)]).toMatchObject([401, { error: 'invalid_client' }]);
      expect(parseChallenges(raw.header('www-authenticate') ?? '')).toMatchObject([{ scheme: 'Basic' }]);
    });

    it('400 invalid_request for two Authorization lines', async () => {
      const line = `Authorization: ${basic(oven).authorization}`;
      const raw = await exchange(keks.url, {
        method: 'POST',
        path: '/oauth/token',
        headers: ['Host: test', FORM, line, line],
        body: 'grant_type=client_credentials',
      });
      expect([raw.status, JSON.parse(raw.body)]).toMatchObject([400, { error: 'invalid_request' }]);
    });
  });

  describe('client_secret_post', () => {
    it('with the id and the secret in the body', async () => {
      expect((await ask({ ...GRANT, ...secretPost(oven) }, {})).status).toBe(200);
      const strange = await addClientNamed(keks, 'Krümel:+% 🍪');
      expect((await ask({ ...GRANT, ...secretPost(strange) }, {})).status).toBe(200);
    });

    it.each([
      ['the id alone', () => ({ client_id: oven.clientId })],
      ['the secret alone', () => ({ client_secret: oven.clientSecret })],
      ['an empty secret', () => ({ client_id: oven.clientId, client_secret: '' })],
      ['an empty id', () => ({ client_id: '', client_secret: oven.clientSecret })],
      ['a space after the secret', () => ({ ...secretPost(oven), client_secret: `${oven.clientSecret} ` })],
      ['the first-party client, which is public', () => ({ client_id: 'keks' })],
      [
        'the first-party client with a secret',
        () => ({ client_id: 'keks', client_secret: oven.clientSecret }),
      ],
      ['nobody', () => ({})],
    ])('401 invalid_client for %s', async (_, parameters) => {
      expectChallenged(await ask({ ...GRANT, ...parameters() } as Record<string, string>, {}));
    });
  });

  describe('401 invalid_client, byte by byte the same', () => {
    it('for an unknown client, a wrong, foreign, retired or forged secret, and a disabled client', async () => {
      const [other, disabled, rotated] = [
        await addClient(keks),
        await addClient(keks),
        await addClient(keks),
      ];
      await clients.change(disabled.clientId, { disabled: true }, BY_OPERATOR);
      await clients.addSecret(rotated.clientId, BY_OPERATOR);
      expect(await clients.retireSecrets(rotated.clientId, 'old', BY_OPERATOR)).toBe(1);
      const { access_token: accessToken } = await clientToken(keks, oven);
      const answers = [
        await refusedAs({ clientId: 'c-unknown', clientSecret: oven.clientSecret }),
        await refusedAs({ clientId: oven.clientId, clientSecret: 'wrong' }),
        await refusedAs({ clientId: oven.clientId, clientSecret: other.clientSecret }),
        await refusedAs({ clientId: oven.clientId, clientSecret: accessToken }),
        await refusedAs({ clientId: oven.clientId.toUpperCase(), clientSecret: oven.clientSecret }),
        await refusedAs({ clientId: oven.clientId, clientSecret: oven.clientSecret.toUpperCase() }),
        await refusedAs(disabled),
        await refusedAs(rotated),
      ];
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]?.toLowerCase()).toContain('www-authenticate: basic realm="cookiefactory"');
    });
  });

  describe('one at a time', () => {
    it.each([
      ['Basic and a secret in the body', () => secretPost(oven)],
      ['Basic and a secret alone in the body', () => ({ client_secret: oven.clientSecret })],
      ['Basic and a wrong secret in the body', () => ({ client_secret: 'x' })],
      ['Basic and the id of another client', () => ({ client_id: 'keks' })],
    ])('400 invalid_request for %s', async (_, parameters) => {
      expectRefusal(
        await ask({ ...GRANT, ...parameters() } as Record<string, string>),
        400,
        'invalid_request',
      );
    });

    it('but the same id may be said twice (RFC 6749 §3.2.1)', async () => {
      expect((await ask({ ...GRANT, client_id: oven.clientId })).status).toBe(200);
      expect((await ask({ ...GRANT, client_id: '', client_secret: '' })).status).toBe(200);
    });
  });

  describe('a secret in the URL is refused', () => {
    it.each([
      'client_secret',
      'CLIENT_SECRET',
      'client%5Fsecret',
      '%63lient_secret',
      'password',
      'refresh_token',
    ])('400 invalid_request for %s, with and without other credentials', async (name) => {
      const query = `client_id=${oven.clientId}&${name}=${oven.clientSecret}`;
      expectRefusal(await askAt(query, {}), 400, 'invalid_request');
      expectRefusal(await askAt(query, basic(oven)), 400, 'invalid_request');
    });

    it('and nothing else in it is read', async () => {
      expectRefusal(await askAt(`client_id=${oven.clientId}`, {}), 401, 'invalid_client');
      const answer = await submit(keks.url, '/oauth/token?grant_type=client_credentials', {}, basic(oven));
      expectRefusal(answer, 400, 'invalid_request');
      expect(issued(await askAt('scope=cookies:bake', basic(oven))).scope).toBe('cookies:eat cookies:bake');
    });
  });

  describe('rotation of a secret', () => {
    it('lets two live, the old one until it is retired', async () => {
      const first = await addClient(keks);
      const added = await clients.addSecret(first.clientId, BY_OPERATOR);
      if ('flaw' in added) throw new Error(added.flaw);
      const second = { clientId: first.clientId, clientSecret: added.clientSecret };
      const { access_token: got } = await clientToken(keks, first);
      expect((await ask(GRANT, basic(second))).status).toBe(200);
      expect(await clients.addSecret(first.clientId, BY_OPERATOR)).toEqual({ flaw: 'too_many' });

      await clients.retireSecrets(first.clientId, 'old', BY_OPERATOR);
      expectChallenged(await ask(GRANT, basic(first)));
      expect((await ask(GRANT, basic(second))).status).toBe(200);
      expect(await isAlive(keks, got)).toBe(true);
    });

    it("retires none but the client's own", async () => {
      const [mine, others] = [await addClient(keks), await addClient(keks)];
      const [secret] = await clients.secrets(others.clientId);
      expect(await clients.retireSecrets(mine.clientId, { id: secret?.id ?? '' }, BY_OPERATOR)).toBe(0);
      expect((await ask(GRANT, basic(others))).status).toBe(200);
    });
  });

  it('a client that is disabled loses all it has, and gets none of it back', async () => {
    const client = await addClient(keks);
    const { access_token: token } = await clientToken(keks, client);
    await clients.change(client.clientId, { disabled: true }, BY_OPERATOR);
    expectChallenged(await ask(GRANT, basic(client)));
    expect(await isAlive(keks, token)).toBe(false);
    await clients.change(client.clientId, { disabled: false }, BY_OPERATOR);
    expect(await isAlive(keks, token)).toBe(false);
    expect(await isAlive(keks, (await clientToken(keks, client)).access_token)).toBe(true);
  });
});

describe('the request (RFC 6749 §3.2)', () => {
  it.each([
    ...['grant_type', 'scope', 'resource', 'client_id', 'client_secret', 'refresh_token', 'unknown'].map(
      (name): [string, [string, string][]] => [
        name,
        [
          [name, 'a'],
          [name, 'a'],
        ],
      ],
    ),
    [
      'scope, once empty',
      [
        ['scope', ''],
        ['scope', 'cookies:eat'],
      ] as [string, string][],
    ],
    [
      'scope, once empty, the other way round',
      [
        ['scope', 'cookies:eat'],
        ['scope', ''],
      ] as [string, string][],
    ],
  ])('400 invalid_request for a parameter twice: %s', async (_, twice) => {
    const once = Object.entries(GRANT).filter(([name]) => name !== twice[0]?.[0]);
    expectRefusal(await ask([...once, ...twice]), 400, 'invalid_request');
  });

  it('400 invalid_request for one twice in two spellings', async () => {
    const body = 'grant_type=client_credentials&scope=cookies:eat&sc%6fpe=cookies:eat';
    const raw = await exchange(keks.url, {
      method: 'POST',
      path: '/oauth/token',
      headers: ['Host: test', FORM, `Authorization: ${basic(oven).authorization}`],
      body,
    });
    expect([raw.status, JSON.parse(raw.body)]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  it('ignores parameters that it does not know', async () => {
    const unknown = {
      foo: 'bar',
      audience: 'urn:other',
      username: 'CookieDestroyer',
      client_assertion_type: 'x',
      __proto__x: 'x',
      constructor: 'x',
      toString: 'x',
    };
    expect((await ask({ ...GRANT, ...unknown })).status).toBe(200);
    expect((await ask([...Object.entries(GRANT), ['__proto__', 'x']])).status).toBe(200);
  });

  it('takes an empty parameter for an absent one', async () => {
    expectRefusal(await ask({ grant_type: '' }), 400, 'invalid_request');
    expectRefusal(await ask({ grant_type: 'refresh_token', refresh_token: '' }, {}), 400, 'invalid_request');
    expect((await ask({ ...GRANT, scope: '', resource: '', refresh_token: '' })).status).toBe(200);
  });

  it('400 invalid_request without grant_type, with an empty form, and without a body', async () => {
    expectRefusal(await ask({ scope: 'cookies:eat' }), 400, 'invalid_request');
    expectRefusal(await ask({}), 400, 'invalid_request');
    expectRefusal(await request(keks.url, '/oauth/token', { method: 'POST' }), 400, 'invalid_request');
  });

  it.each(['password', 'implicit', 'Client_Credentials', 'client_credentials ', 'constructor', '__proto__'])(
    '400 unsupported_grant_type for %s',
    async (grant_type) => {
      expectRefusal(await ask({ grant_type }), 400, 'unsupported_grant_type');
      expectRefusal(await ask({ grant_type }, {}), 400, 'unsupported_grant_type');
    },
  );

  it('400 unsupported_grant_type for grant_type=password with a right password (RFC 9700 §2.4)', async () => {
    await keks.addUser('CookieDestroyer');
    const login = { grant_type: 'password', username: 'CookieDestroyer', password: PASSWORD };
    expectRefusal(await ask(login), 400, 'unsupported_grant_type');
    expectRefusal(await ask(login, {}), 400, 'unsupported_grant_type');
  });

  it.each([
    ['JSON', 'application/json', '{"grant_type":"client_credentials"}'],
    [
      'a form in Latin-1',
      'application/x-www-form-urlencoded; charset=latin1',
      'grant_type=client_credentials',
    ],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['text', 'text/plain', 'grant_type=client_credentials'],
  ])('415 for %s', async (_, type, body) => {
    const answer = await request(keks.url, '/oauth/token', {
      method: 'POST',
      headers: { 'content-type': type, ...basic(oven) },
      body,
    });
    expectRefusal(answer, 415, 'unsupported_media_type');
  });

  it('405 with Allow for any other method', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await request(keks.url, '/oauth/token', { method, headers: basic(oven) });
      expectRefusal(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')).toBe('OPTIONS, POST');
    }
  });

  describe('who comes before what: 401 before 400', () => {
    const wrong = { authorization: `Basic ${base64('x:y')}` };
    it.each([
      ['an unsupported grant type', { grant_type: 'password' }],
      ['no grant type', {}],
      ['a scope that is too much', { ...GRANT, scope: 'cookies:steal' }],
      ['an unknown resource', { ...GRANT, resource: 'urn:x' }],
      ['a bad refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }],
      ['no refresh token', { grant_type: 'refresh_token' }],
    ] as [string, Record<string, string>][])('401 for a wrong client with %s', async (_, parameters) => {
      expectRefusal(await ask(parameters, wrong), 401, 'invalid_client');
    });

    it('but what cannot be read is 400 or 415 first', async () => {
      expectRefusal(
        await ask(
          [
            ['a', 'x'],
            ['a', 'x'],
          ],
          wrong,
        ),
        400,
        'invalid_request',
      );
      const json = { 'content-type': 'application/json', ...wrong };
      expectRefusal(await post(keks.url, '/oauth/token', GRANT, json), 415, 'unsupported_media_type');
    });
  });
});

describe('503', () => {
  it('with Retry-After while the database is away, and 200 afterwards', async () => {
    const outage = await takeAway(keks.database);
    try {
      const answer = await ask();
      expectRefusal(answer, 503, 'temporarily_unavailable');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await outage.end();
    }
    expect((await ask()).status).toBe(200);
  });
});
