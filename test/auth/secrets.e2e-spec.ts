import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { derivedKey } from '../../src/auth/secrets/derived-key.js';
import { SigningKeys } from '../../src/auth/keys/signing-keys.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { storedKey } from '../support/forge.js';
import { startInstance, type Instance } from '../support/instance.js';
import { dump, leaks, type Place, type Secret } from '../support/leaks.js';
import { ManualClock } from '../support/manual-clock.js';
import { base64, basic, BY_OPERATOR, formEncoded, type TestClient } from '../support/oauth.js';
import { takeAway } from '../support/outage.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { environment, SECRET_KEY } from '../support/test-app.js';
import { wants500 } from '../support/watch.js';

const PREVIOUS = randomBytes(32).toString('hex');
const ADMIN = 'a wreath of 7 cinnamon stars, é + 100%';
const RIGHT = 'eleven green gingerbreads above a red sun';
const NEXT = 'nine "grey" waffles & under\\over = a white hill';
const WRONG = 'four wrong pancakes beside a purple lake';

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, string>;
}

let database: TestDatabase;
let operator: Instance;
let server: ServerProcess;
const secrets: Secret[] = [];
/** Error answers, which repeat nothing of what came in. */
const refusals: Place[] = [];
const statuses = new Set<number>();

function keep(name: string, secret: string | Buffer | undefined): string {
  if (secret === undefined || secret.length < 12) throw new Error(`no secret worth looking for: ${name}`);
  const bytes = Buffer.isBuffer(secret) ? secret : Buffer.from(secret);
  secrets.push({ name, bytes });
  return bytes.toString();
}

/** A token or a secret of Keks: its text, and the bytes in it. */
function keepToken(name: string, token: string | undefined): string {
  const text = keep(name, token);
  if (!text.includes('.')) keep(`the bytes of ${name}`, Buffer.from(text.slice(4, 52), 'base64url'));
  else keep(`the signature of ${name}`, text.split('.')[2]);
  return text;
}

async function call(method: string, path: string, init: RequestInit = {}): Promise<Reply> {
  const answer = await fetch(server.url + path, { method, redirect: 'manual', ...init });
  const text = await answer.text();
  statuses.add(answer.status);
  if (answer.status >= 400) {
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    refusals.push({
      name: `${answer.status} of ${method} ${path.slice(0, 20)}`,
      text: `${headers}\n${text}`,
    });
  }
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : {} };
}

const json = (path: string, body: unknown, token?: string, method = 'POST'): Promise<Reply> =>
  call(method, path, {
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const form = (
  path: string,
  body: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Reply> => call('POST', path, { headers, body: new URLSearchParams(body) });
const withToken = (token: string, path: string, method = 'GET'): Promise<Reply> =>
  call(method, path, { headers: { authorization: `Bearer ${token}` } });

async function login(user: string, password: string, more: object = {}): Promise<Record<string, string>> {
  const { status, body } = await json('/issue', { user, password, ...more });
  expect(status).toBe(200);
  keepToken('an access token', body['token']);
  if (body['refresh_token']) keepToken('a refresh token', body['refresh_token']);
  return body;
}

async function refreshed(token: string, more: Record<string, string> = {}): Promise<string> {
  const { body } = await form('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, ...more });
  keepToken('a refreshed access token', body['access_token']);
  return keepToken('a successor', body['refresh_token']);
}

beforeAll(async () => {
  database = await createDatabase();
  const settings = environment(database.url, { SECRET_KEY_PREVIOUS: PREVIOUS, LOG_LEVEL: 'trace' });
  operator = await startInstance(database.url, new ManualClock(), { SECRET_KEY_PREVIOUS: PREVIOUS });
  server = await startProcess(settings);
  for (const password of [ADMIN, RIGHT, NEXT, WRONG]) {
    keep(`the password "${password.slice(0, 5)}..."`, password);
    keep(`the plain digest of "${password.slice(0, 5)}..."`, createHash('sha256').update(password).digest());
  }
  for (const [name, secret] of [
    ['SECRET_KEY', SECRET_KEY],
    ['SECRET_KEY_PREVIOUS', PREVIOUS],
  ] as const) {
    const bytes = Buffer.from(secret, 'hex');
    keep(name, bytes);
    for (const purpose of [
      'token-mac',
      'pepper',
      'key-encryption',
      'cursor',
      'successor',
      'attempts',
    ] as const)
      keep(`${purpose} of ${name}`, derivedKey(bytes, purpose));
    keep(`pepper of ${name}, whole`, derivedKey(bytes, 'pepper', 48));
  }
}, 60_000);

afterAll(async () => {
  await server.stop();
  await operator.close();
  await database.close();
});

describe('after every flow', () => {
  let admin: string;
  let client: TestClient;

  it('operators: an admin, users, clients and their secrets', async () => {
    await operator.get(UsersService).addUnchecked('Root', ADMIN, ['keks:admin', 'cookies:eat'], OPERATOR);
    admin = (await login('Root', ADMIN))['token'] ?? '';
    const user = await json('/admin/users', { name: 'Ann', password: RIGHT, scope: 'cookies:eat' }, admin);
    expect(user.status).toBe(201);
    const made = await json('/admin/clients', { name: 'oven', scope: 'cookies:eat' }, admin);
    expect(made.status).toBe(201);
    const { client_id: clientId = '', client_secret } = made.body;
    client = { clientId, clientSecret: keepToken('a client secret', client_secret) };
    const added = await json(`/admin/clients/${clientId}/secrets`, '', admin);
    keepToken('a second client secret', added.body['client_secret']);
    await withToken(admin, `/admin/clients/${clientId}/secrets/${added.body['secret_id']}`, 'DELETE');
    for (const path of ['/admin/users', '/admin/clients', '/admin/grants', '/admin/audit'])
      expect((await withToken(admin, path)).status).toBe(200);
  });

  it('people: logins, refresh, replay, theft, sessions, API keys, a new password', async () => {
    const first = await login('Ann', RIGHT, { scope: 'offline_access' });
    const second = await refreshed(first['refresh_token'] ?? '');
    expect(await refreshed(first['refresh_token'] ?? '')).toBe(second);
    const third = await refreshed(second, { scope: 'cookies:eat' });
    const theft = { grant_type: 'refresh_token', refresh_token: first['refresh_token'] ?? '' };
    expect((await form('/oauth/token', theft)).body['error']).toBe('invalid_grant');
    expect((await form('/oauth/token', { ...theft, refresh_token: third })).status).toBe(400);

    const jwt = await login('Ann', RIGHT, { format: 'jwt', scope: 'offline_access' });
    await refreshed(jwt['refresh_token'] ?? '');
    const { token = '' } = await login('Ann', RIGHT);
    const key = await json('/keys', { label: 'night baker', password: RIGHT }, token);
    keepToken('an API key', key.body['key']);
    for (const one of [token, jwt['token'], key.body['key']]) {
      expect((await withToken(one ?? '', '/cookies')).status).toBe(200);
      expect((await json('/validate', { token: one })).status).toBe(200);
    }
    expect((await withToken(token, '/sessions')).status).toBe(200);
    const change = { old_password: RIGHT, new_password: NEXT };
    expect((await json('/password', { ...change, old_password: WRONG }, token, 'PUT')).status).toBe(401);
    expect((await json('/password', change, token, 'PUT')).status).toBe(204);
    expect((await json('/revoke', { token: key.body['key'] })).status).toBe(200);
    expect((await json('/issue', { user: 'Ann', password: RIGHT })).status).toBe(401);
    await login('Ann', NEXT);
  });

  it('systems: client credentials, introspection, revocation, by Basic and by post', async () => {
    const { clientId, clientSecret } = client;
    for (const [parameters, headers] of [
      [{}, basic(client)],
      [{ client_id: clientId, client_secret: clientSecret }, {}],
    ] as [Record<string, string>, Record<string, string>][]) {
      const { body } = await form(
        '/oauth/token',
        { grant_type: 'client_credentials', ...parameters },
        headers,
      );
      const token = keepToken('a token of a client', body['access_token']);
      expect((await form('/oauth/introspect', { token, ...parameters }, headers)).status).toBe(200);
      expect((await form('/oauth/revoke', { token, ...parameters }, headers)).status).toBe(200);
      expect((await form('/oauth/revoke', { token: clientSecret, ...parameters }, headers)).status).toBe(400);
    }
    keep('Basic credentials', `${formEncoded(clientId)}:${formEncoded(clientSecret)}`);
  });

  it('mistakes: secrets where they do not belong', async () => {
    const { token = '', refresh_token = '' } = await login('Ann', NEXT, { scope: 'offline_access' });
    const { clientId, clientSecret } = client;
    const encoded = encodeURIComponent;
    await json('/issue', { user: 'Ann', password: WRONG });
    await json('/issue', { user: 'Nobody', password: WRONG });
    await json('/issue', { user: 'Ann', password: [NEXT] });
    await json('/issue', `{"user":"Ann","password":"${WRONG}"`);
    await json('/issue', { user: 'Ann', password: NEXT, scope: `${token}` });
    await json('/issue', { user: 'Ann', password: NEXT, format: refresh_token });
    await json(`/issue?user=Ann&password=${encoded(NEXT)}`, {});
    await call('POST', '/issue', { headers: { 'content-type': 'text/plain' }, body: NEXT });
    await call('POST', `/issue/${encoded(NEXT)}`);
    await form('/issue', { user: 'Ann', password: NEXT });
    await call('GET', `/cookies?access_token=${token}`);
    await withToken(token, `/cookies?access_token=${token}`);
    await call('GET', `/cookies/${token}`);
    await call('GET', `/${refresh_token}`);
    await call('GET', '/cookies', { headers: { authorization: `Basic ${base64(`Ann:${NEXT}`)}` } });
    await call('GET', '/cookies', { headers: { authorization: `Bearer ${token} ${NEXT.slice(0, 4)}` } });
    await call('GET', '/cookies', { headers: { cookie: `token=${token}`, 'x-request-id': token } });
    await withToken(refresh_token, '/cookies');
    await withToken(clientSecret, '/cookies');
    await withToken(token, `/keys?cursor=${refresh_token}`);
    await withToken(token, `/keys/${refresh_token}`, 'DELETE');
    await withToken(token, `/sessions/${token}`, 'DELETE');
    await json('/keys', { label: 'x', password: NEXT, scope: refresh_token }, token);
    await json('/keys', { label: 'x', password: WRONG }, token);
    await json('/keys', { label: NEXT, password: [NEXT] }, token);
    await json('/validate', { token: refresh_token });
    await json('/validate', { token: `${token} ` });
    await json('/validate', { token: clientSecret });
    await json('/revoke', { token: [token] });
    await json('/revoke', `{"token":"${token}","token":"${token}"}`);
    await form(
      `/oauth/token?client_secret=${clientSecret}`,
      { grant_type: 'client_credentials' },
      basic(client),
    );
    await form('/oauth/token', { grant_type: 'password', username: 'Ann', password: NEXT }, basic(client));
    await form('/oauth/token', { grant_type: clientSecret }, basic(client));
    await form('/oauth/token', { grant_type: 'client_credentials', scope: clientSecret }, basic(client));
    await form('/oauth/token', { grant_type: 'client_credentials', resource: clientSecret }, basic(client));
    await form('/oauth/token', { grant_type: 'refresh_token', refresh_token }, basic(client));
    await form('/oauth/token', { grant_type: 'refresh_token', refresh_token: token });
    await form('/oauth/token', { grant_type: 'refresh_token', refresh_token, scope: refresh_token });
    await form('/oauth/token', {}, { authorization: `Basic ${base64(`${clientSecret}:${clientId}`)}` });
    await form('/oauth/token', {}, { authorization: `Basic ${base64(`${clientId}:${NEXT}`)}` });
    await form('/oauth/token', { client_id: clientSecret, client_secret: clientSecret });
    await form('/oauth/introspect', { token, token_type_hint: token }, basic(client));
    await form('/oauth/introspect', { token: refresh_token }, basic(client));
    await form('/oauth/introspect', { token: NEXT }, basic(client));
    await form('/oauth/revoke', { token }, basic(client));
    await json('/admin/users', { name: 'Ben', password: 'short' }, admin);
    await json('/admin/users', { name: 'Ann', password: NEXT }, admin);
    await json('/admin/users', { name: 'Ben', password: NEXT, scope: `"${token}"` }, admin);
    await withToken(admin, `/admin/users/${token}`);
    await withToken(token, `/admin/users/${refresh_token}`);
    await withToken(admin, `/admin/clients/${clientSecret}`);
    await withToken(admin, `/admin/audit?cursor=${token}`);
    await json('/admin/tokens/story', { id: token }, admin);
    await json('/admin/tokens/story', { token: clientSecret }, admin);
    await json('/admin/tokens/story', { token: refresh_token }, token);
    for (const status of [400, 401, 403, 404, 415]) expect(statuses).toContain(status);
  });

  it('faults: the database is away in the middle of everything', async () => {
    const { token = '', refresh_token = '' } = await login('Ann', NEXT, { scope: 'offline_access' });
    const outage = await takeAway(database);
    try {
      await json('/issue', { user: 'Ann', password: NEXT });
      await json('/validate', { token });
      await withToken(token, '/cookies');
      await form('/oauth/token', { grant_type: 'refresh_token', refresh_token });
      await form('/oauth/token', { grant_type: 'client_credentials' }, basic(client));
      await json('/revoke', { token });
    } finally {
      await outage.end();
    }
    expect(statuses).toContain(503);

    // and each statement that writes fails, with its values at hand
    wants500();
    for (const table of ['grants', 'access_tokens', 'refresh_tokens', 'audit_events'])
      await database.client.query(`ALTER TABLE ${table} ADD CONSTRAINT broken CHECK (false) NOT VALID`);
    try {
      await json('/issue', { user: 'Ann', password: NEXT, scope: 'offline_access' });
      await json('/issue', { user: 'Ann', password: NEXT, format: 'jwt' });
      await form('/oauth/token', { grant_type: 'refresh_token', refresh_token });
      await form('/oauth/token', { grant_type: 'client_credentials' }, basic(client));
      await json('/keys', { label: 'x', password: NEXT }, token);
      await json('/password', { old_password: NEXT, new_password: RIGHT }, token, 'PUT');
      await json('/admin/users', { name: 'Ben', password: RIGHT }, admin);
      await json('/admin/clients', { name: 'x' }, admin);
      await json('/revoke', { token });
    } finally {
      for (const table of ['grants', 'access_tokens', 'refresh_tokens', 'audit_events'])
        await database.client.query(`ALTER TABLE ${table} DROP CONSTRAINT broken`);
    }
    expect(statuses).toContain(500);
  });

  describe('none of the secrets', () => {
    beforeAll(async () => {
      const { privateKey } = await storedKey(database, operator);
      keep('a private key', privateKey.export({ format: 'der', type: 'pkcs8' }));
      keep(
        'the scalar of a private key',
        Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url'),
      );
      await operator.get(SigningKeys).rotate(BY_OPERATOR);
    });

    it('is in the database', async () => {
      const places = await dump(database.client);
      for (const table of [
        'users',
        'clients',
        'client_secrets',
        'grants',
        'api_keys',
        'signing_keys',
        'attempt_counters',
      ])
        expect(places.find(({ name }) => name === `public.${table}`)?.text.length, table).toBeGreaterThan(
          100,
        );
      for (const table of ['access_tokens', 'refresh_tokens', 'audit_events'])
        expect(
          places.filter(({ name, text }) => name.startsWith(`public.${table}_`) && text.length > 1_000),
        ).not.toEqual([]);
      expect(secrets.length).toBeGreaterThan(60);
      expect(leaks(secrets, places)).toEqual([]);
    });

    it('is in the log, at its most talkative', () => {
      const text = server.output();
      expect(text).toContain('"level":20');
      expect(text).toContain('request failed');
      expect(text).toContain('could not answer');
      expect(leaks(secrets, [{ name: 'the log', text }])).toEqual([]);
    });

    it('is in an answer that refuses', () => {
      expect(refusals.length).toBeGreaterThan(40);
      expect(leaks(secrets, refusals)).toEqual([]);
    });

    it('is in what operators are shown: lists and the audit log', async () => {
      const shown: Place[] = [];
      const { rows } = await database.client.query<{ id: string }>('SELECT id FROM grants');
      for (const { id } of rows) {
        const { status, body } = await json('/admin/tokens/story', { id }, admin);
        expect(status).toBe(200);
        shown.push({ name: 'a story', text: JSON.stringify(body) });
      }
      expect(shown.length).toBeGreaterThan(5);
      for (const path of ['/admin/users', '/admin/clients', '/admin/grants', '/admin/audit?limit=100']) {
        const { status, body } = await withToken(admin, path);
        expect(status).toBe(200);
        shown.push({ name: path, text: JSON.stringify(body) });
      }
      expect(shown.at(-1)?.text).toContain('refresh.replayed');
      expect(leaks(secrets, shown)).toEqual([]);
    });
  });
});

describe('the search itself', () => {
  const text = 'kat_a secret: "100% + é"';
  const secret = { name: 'it', bytes: Buffer.from(text) };
  const key = { name: 'a key', bytes: Buffer.from('00ff10fe20fd30fc40fb50fa60f970f8', 'hex') };
  const { bytes } = secret;

  it.each([
    ['as it is', text],
    ['in JSON', JSON.stringify({ text })],
    ['Base64', bytes.toString('base64')],
    [
      'Base64, one byte further',
      Buffer.concat([Buffer.from('x'), bytes, Buffer.from('yz')]).toString('base64'),
    ],
    ['Base64, two bytes further', Buffer.concat([Buffer.from('xy'), bytes]).toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['hexadecimal', bytes.toString('hex')],
    ['hexadecimal, in upper case', bytes.toString('hex').toUpperCase()],
    ['percent-encoded', encodeURIComponent(text)],
    [
      'percent-encoded to the last letter',
      [...bytes].map((byte) => `%${byte.toString(16).toUpperCase()}`).join(''),
    ],
    ['as a form', formEncoded(text)],
  ])('finds a text %s', (_, hidden) => {
    expect(leaks([secret], [{ name: 'there', text: `before ${hidden} after` }])).toEqual(['it in there']);
  });

  it.each(['hex', 'base64', 'base64url', 'latin1'] as const)('finds bytes in %s', (encoding) => {
    expect(leaks([key], [{ name: 'there', text: `"${key.bytes.toString(encoding)}"` }])).toEqual([
      'a key in there',
    ]);
  });

  it('finds both in any column of any table', async () => {
    const { client } = database;
    await client.query('CREATE TABLE hidden (a text, b bytea, c jsonb, d text[])');
    const none = [null, null, null, null];
    const columns: unknown[] = [text, bytes, JSON.stringify({ deep: [bytes.toString('base64')] }), [text]];
    for (const [n, value] of columns.entries()) {
      await client.query('DELETE FROM hidden');
      await client.query('INSERT INTO hidden VALUES ($1, $2, $3, $4)', none.with(n, value as null));
      expect(leaks([secret, key], await dump(client))).toEqual(['it in public.hidden']);
    }
    await client.query('UPDATE hidden SET b = $1, d = NULL', [key.bytes]);
    expect(leaks([secret, key], await dump(client))).toEqual(['a key in public.hidden']);
    await client.query('DROP TABLE hidden');
    expect(leaks([secret, key], await dump(client))).toEqual([]);
  });
});
