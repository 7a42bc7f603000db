import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../support/keks-here.js';
import { issued, submit } from '../support/oauth.js';
import { environment, get, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

interface InitialToken {
  readonly id: string;
  readonly initial_access_token: string;
  readonly uses_left: number;
  readonly created_at: string;
  readonly expires_at: string;
}

interface Event {
  readonly type: string;
  readonly actor: string | null;
  readonly detail: object;
}

const REGISTRATION = { REGISTRATION: 'token', REGISTRATION_SCOPE: 'cookies:eat' };
const DAY = 86_400;

let app: TestApp;
let folder: string;

const { run, json, refused } = commandLine(() => environment(app.database.url, REGISTRATION));

beforeAll(async () => {
  app = await startTestApp(REGISTRATION);
  folder = await mkdtemp(join(tmpdir(), 'keks-apps-'));
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

describe('client add --jwks', () => {
  let key: CryptoKey;
  let publicJwk: JWK;
  let privateJwk: JWK;
  let files = 0;

  const fileOf = async (text: string): Promise<string> => {
    const path = join(folder, `keys-${(files += 1)}.json`);
    await writeFile(path, text);
    return path;
  };
  const fileWith = (...keys: JWK[]): Promise<string> => fileOf(JSON.stringify({ keys }));

  /** `client_credentials` with a JWT that this key has signed (RFC 7523 §2.2). */
  const tokenFor = async (clientId: string, by = key): Promise<Answer> => {
    const now = app.clock.seconds();
    const said = { iss: clientId, sub: clientId, aud: app.config.ISSUER, exp: now + 60, jti: String(now) };
    return submit(app.url, '/oauth/token', {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await new SignJWT(said).setProtectedHeader({ alg: 'ES256' }).sign(by),
    });
  };

  beforeAll(async () => {
    const made = await generateKeyPair('ES256', { extractable: true });
    key = made.privateKey;
    publicJwk = await exportJWK(made.publicKey);
    privateJwk = await exportJWK(made.privateKey);
  });

  it('a client that proves itself with its key, and has no secret', async () => {
    const { client_id: id, ...added } = await json<{ client_id: string }>(
      ...['client', 'add', 'Robot', '--scope', 'cookies:eat', '--jwks', await fileWith(publicJwk)],
    );
    expect(added).not.toHaveProperty('client_secret');
    expect(issued(await tokenFor(id)).scope).toBe('cookies:eat');
    const { privateKey: other } = await generateKeyPair('ES256');
    expect((await tokenFor(id, other)).status).toBe(401);
    expect(await json('client', 'show', id)).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      secrets: [],
    });
    expect(await refused('client', 'rotate-secret', id)).toEqual([1, 'invalid_request']);
  });

  it('says so in the table of facts', async () => {
    const { stdout } = await run('client', 'add', 'Robot', '--jwks', await fileWith(publicJwk));
    expect(stdout).toMatch(/^client_id +c-[0-9a-f]{24}$/m);
    expect(stdout).not.toContain('client_secret');
    expect(stdout).toContain('It has no secret: it proves itself with its key.');
  });

  it.each([
    ['a private key', () => fileWith(privateJwk)],
    ['no key at all', () => fileWith()],
    ['eleven', () => fileWith(...Array.from({ length: 11 }, () => publicJwk))],
    ['no JSON', () => fileOf('-----BEGIN PUBLIC KEY-----')],
    ['no JWK set', () => fileOf(JSON.stringify(publicJwk))],
    ['no such file', async () => join(folder, 'nowhere.json')],
    ['a folder', async () => folder],
  ])('exit 1, invalid_request: %s, and nothing of it is repeated', async (_, made) => {
    const { code, stdout, stderr } = await run('client', 'add', 'Robot', '--jwks', await made(), '--json');
    expect([code, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toMatchObject({ error: 'invalid_request', parameter: 'jwks' });
    expect(stderr).not.toContain(String(privateJwk.d));
  });

  it('exit 1: not together with --public, which has nothing to prove; exit 2: twice', async () => {
    const file = await fileWith(publicJwk);
    const app = ['client', 'add', 'Robot', '--redirect-uri', 'https://app.example/done'];
    expect(await refused(...app, '--public', '--jwks', file)).toEqual([1, 'invalid_request']);
    expect(await refused(...app, '--jwks', file, '--jwks', file)).toEqual([2, 'invalid_request']);
  });
});

describe('initial-token', () => {
  const register = (token: string): Promise<Answer> =>
    post(
      app.url,
      '/oauth/register',
      { redirect_uris: ['http://127.0.0.1/done'], token_endpoint_auth_method: 'none' },
      { authorization: `Bearer ${token}` },
    );

  it('add: a token that registers one client within a week; list: everything but the token', async () => {
    const made = await json<InitialToken>('initial-token', 'add', 'for the bakery team');
    expect(made).toEqual({
      id: expect.any(String),
      label: 'for the bakery team',
      uses_left: 1,
      created_at: expect.any(String),
      expires_at: expect.any(String),
      initial_access_token: expect.stringMatching(/^kri_[A-Za-z0-9_-]{43}$/),
    });
    const lasts = (Date.parse(made.expires_at) - Date.parse(made.created_at)) / 1_000;
    expect(Math.round(lasts / DAY)).toBe(7);
    const { initial_access_token: token, ...rest } = made;
    expect(await json('initial-token', 'list')).toContainEqual(rest);
    const { stdout } = await run('initial-token', 'list');
    expect(stdout).toMatch(/^ID +LABEL +USES_LEFT +CREATED +EXPIRES\n/);
    expect(stdout).not.toContain(token);
    expect((await register(token)).status).toBe(201);
    expect((await register(token)).status).toBe(401);
    expect(await json('initial-token', 'list')).toContainEqual({ ...rest, uses_left: 0 });
  });

  it('add --uses and --days: so many clients, so long', async () => {
    const { initial_access_token: token } = await json<InitialToken>(
      ...['initial-token', 'add', 'for our robots', '--uses', '2', '--days', '30'],
    );
    for (const status of [201, 201, 401]) expect((await register(token)).status).toBe(status);
    const { stdout } = await run('initial-token', 'add', 'for our robots', '--uses', '20');
    expect(stdout).toMatch(/^id +\S+\ninitial_access_token +kri_\S{43}\nuses +20\nexpires +\S+Z\n/);
  });

  it('revoke: nobody registers with it any more, and who did so stays', async () => {
    const made = await json<InitialToken>('initial-token', 'add', 'taken back', '--uses', '5');
    const { client_id: id } = (await register(made.initial_access_token)).body as { client_id: string };
    expect(await json('initial-token', 'revoke', made.id)).toEqual({ id: made.id, revoked: true });
    expect((await register(made.initial_access_token)).status).toBe(401);
    expect(await json('client', 'show', id)).toMatchObject({ client_id: id, disabled: false });
    expect(await refused('initial-token', 'revoke', made.id)).toEqual([1, 'not_found']);
    await app.addUser('Ann', 'keks:admin');
    const admin = await app.login('Ann', 'keks:admin');
    const { items } = (await get(app.url, '/admin/initial-access-tokens', admin)).body as {
      items: { id: string }[];
    };
    expect(items.map((one) => one.id)).not.toContain(made.id);
    const events = await json<Event[]>('audit', '--actor', 'operator');
    expect(events.filter(({ detail }) => JSON.stringify(detail).includes(made.id))).toMatchObject([
      { type: 'initial_token.added', actor: 'operator' },
      { type: 'initial_token.revoked', actor: 'operator' },
    ]);
    expect(JSON.stringify(events)).not.toContain(made.initial_access_token);
  });

  it.each([
    [['add'], 2, 'invalid_request'],
    [['add', ''], 1, 'invalid_request'],
    [['add', 'x'.repeat(101)], 1, 'invalid_request'],
    [['add', 'x', '--uses', '0'], 1, 'invalid_request'],
    [['add', 'x', '--uses', '10001'], 1, 'invalid_request'],
    [['add', 'x', '--days', '366'], 1, 'invalid_request'],
    [['add', 'x', '--days', '1.5'], 1, 'invalid_request'],
    [['add', 'x', '--days', '1', '--days', '2'], 2, 'invalid_request'],
    [['revoke', 'x'], 1, 'not_found'],
    [['revoke', '00000000-0000-4000-8000-000000000000'], 1, 'not_found'],
    [['revoke'], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('initial-token', ...args)).toEqual([code, error]);
  });
});
