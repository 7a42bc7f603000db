import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createPlainServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isClientIdUrl } from '../../src/auth/registration/documents/client-id-url.js';
import { freshFor } from '../../src/auth/registration/documents/freshness.js';
import { GuardedFetch } from '../../src/auth/registration/documents/guarded-fetch.js';
import { OutboundRules } from '../../src/auth/outbound/outbound-rules.js';
import { isPublicAddress } from '../../src/auth/outbound/public-address.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { selfSigned } from '../support/certificate.js';
import { askForCodes, DEVICE_GRANT } from '../support/device.js';
import { expectRefusal, isAlive, issued, refresh, submit } from '../support/oauth.js';
import { get, request, startTestApp, type TestApp } from '../support/test-app.js';
import { answerBehind, answerOf, authorizePath, pkce, Visitor, type Shown } from '../support/visitor.js';
import { send } from '../support/wire.js';

const DONE = 'https://app.example/done';

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** Somebody's host on this machine, which does what each test wants. */
let host: Server;
let port: number;
let behave: Behaviour;
let asked: string[];
let keks: TestApp;
let rules: OutboundRules;
/** What names lead to, one after the other; the last one for ever. */
let leadsTo: string[];
let looked: string[];

const urlOf = (path: string): string => `https://localhost:${port}${path}`;

const json =
  (body: unknown, headers: Record<string, string> = {}, status = 200): Behaviour =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** What a good client says at its address. */
const document = (path: string, more: object = {}): object => ({
  client_id: urlOf(path),
  client_name: 'Diary',
  redirect_uris: [DONE],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
  ...more,
});

const open = (
  clientId: string,
  visitor = new Visitor(keks.url),
  more: Record<string, string> = {},
): Promise<Shown> =>
  visitor.open(
    authorizePath({ client_id: clientId, redirect_uri: DONE, code_challenge: pkce().challenge, ...more }),
    { headers: { 'x-forwarded-for': `10.1.0.${(from += 1) % 250}` } },
  );
let from = 0;

async function letIn(clientId: string): Promise<ReturnType<typeof issued>> {
  const { verifier, challenge } = pkce();
  const visitor = new Visitor(keks.url);
  const path = authorizePath({
    ...{ client_id: clientId, redirect_uri: DONE, code_challenge: challenge },
    scope: 'cookies:eat offline_access',
  });
  const page = await visitor.signIn(await visitor.open(path), 'Ann');
  const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
  const form = { code, code_verifier: verifier, redirect_uri: DONE, client_id: clientId };
  return issued(await submit(keks.url, '/oauth/token', { grant_type: 'authorization_code', ...form }));
}

const unread = (page: Shown): void => {
  expect([page.status, page.location]).toEqual([400, undefined]);
  expect(page.text).toContain('cannot read who asks');
};

beforeAll(async () => {
  const { cert, key } = await selfSigned();
  host = createServer({ cert, key }, (message, response) => {
    asked.push(message.url ?? '');
    behave(message, response);
  });
  host.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  ({ port } = host.address() as AddressInfo);
  keks = await startTestApp({
    TRUST_PROXY: '127.0.0.1',
    CLIENT_METADATA_DOCUMENTS: 'true',
    REGISTRATION_SCOPE: 'cookies:eat',
    REGISTRATIONS_PER_ADDRESS: '30',
  });
  await keks.addUser('Ann', 'cookies:eat keks:admin');
  rules = keks.app.get(OutboundRules);
  rules.ca = cert.toString();
});

beforeEach(() => {
  asked = [];
  looked = [];
  leadsTo = ['127.0.0.1'];
  rules.resolve = (name) => {
    looked.push(name);
    return Promise.resolve([leadsTo.length > 1 ? (leadsTo.shift() ?? '') : (leadsTo[0] ?? '')]);
  };
  rules.isAllowedAddress = (address) => address === '127.0.0.1';
  rules.isAllowedPort = () => true;
});

afterAll(async () => {
  await keks.close();
  host.closeAllConnections();
  await new Promise((resolve) => host.close(resolve));
});

describe('an HTTPS address as client_id', () => {
  it('is read, shown as what it is, let in, and gets tokens; discovery says so (draft §5)', async () => {
    const path = '/good/client.json';
    behave = json(document(path));
    const visitor = new Visitor(keks.url);
    const page = await visitor.signIn(await open(urlOf(path), visitor), 'Ann');
    expect(page.text).toContain('Diary');
    expect(page.text).toContain(`as localhost:${port} describes it`);
    expect(page.text).toContain('Nobody here has checked who this is');
    const tokens = await letIn(urlOf(path));
    expect((await get(keks.url, '/cookies', tokens.access_token)).status).toBe(200);
    const again = await refresh(keks, tokens.refresh_token ?? '', { client_id: urlOf(path) });
    expect(issued(again).scope).toBe('cookies:eat');
    // one answer for all of it
    expect(asked).toEqual([path]);
    const metadata = (await get(keks.url, '/.well-known/oauth-authorization-server')).body;
    expect(metadata).toMatchObject({ client_id_metadata_document_supported: true });
    expect(metadata).not.toHaveProperty('registration_endpoint');
    const admin = await keks.login('Ann');
    const shown = await get(keks.url, `/admin/clients/${encodeURIComponent(urlOf(path))}`, admin);
    expect(shown.body).toMatchObject({ client_id: urlOf(path), self_registered: true, name: 'Diary' });
    const ended = await send(keks.url, 'DELETE', `/consents/${encodeURIComponent(urlOf(path))}`, admin);
    expect([ended.status, await isAlive(keks, tokens.access_token)]).toEqual([204, false]);
  });

  it('may push its request before anybody is sent for it (RFC 9126), and gets no device codes', async () => {
    const id = urlOf('/pushes');
    const more = { grant_types: ['authorization_code', DEVICE_GRANT], dpop_bound_access_tokens: true };
    behave = json(document('/pushes', { require_pushed_authorization_requests: true, ...more }));
    const push = (client: string) =>
      submit(keks.url, '/oauth/par', {
        ...{ response_type: 'code', client_id: client, redirect_uri: DONE },
        ...{ code_challenge: pkce().challenge, code_challenge_method: 'S256' },
      });
    const pushed = await push(id);
    expect(pushed.status).toBe(201);
    const { request_uri: name } = pushed.body as { request_uri: string };
    const query = new URLSearchParams({ client_id: id, request_uri: name }).toString();
    expect((await new Visitor(keks.url).open(`/oauth/authorize?${query}`)).status).toBe(200);
    expect(answerBehind(await open(id))).toMatchObject({ error: 'invalid_request' });
    expect(asked).toEqual(['/pushes']);
    expectRefusal(await askForCodes(keks.url, { client_id: id }), 400, 'unauthorized_client');
    const admin = await keks.login('Ann');
    const shown = await get(keks.url, `/admin/clients/${encodeURIComponent(id)}`, admin);
    expect(shown.body).toMatchObject({ device_grant: false, dpop_bound_access_tokens: true });
    behave = json({}, {}, 404);
    expectRefusal(await push(urlOf('/nobody')), 401, 'invalid_client');
    keks.clock.advance(10 * 86_400);
    expectRefusal(await push(id), 401, 'invalid_client');
  });

  it('sends only to the addresses that its document names (RFC 6749 §4.1.2.1)', async () => {
    behave = json(document('/there'));
    const page = await open(urlOf('/there'), undefined, { redirect_uri: 'https://evil.example/done' });
    expect([page.status, page.location]).toEqual([400, undefined]);
  });

  it('is what its document says as long as that may be kept, and then what it says anew', async () => {
    const path = '/changing';
    behave = json(document(path), { 'cache-control': 'max-age=600' });
    const { access_token: token } = await letIn(urlOf(path));
    behave = json(document(path, { client_name: 'Bank' }));
    keks.clock.advance(590);
    expect((await open(urlOf(path))).text).toContain('Diary');
    expect(await isAlive(keks, token)).toBe(true);
    keks.clock.advance(20);
    expect((await open(urlOf(path))).text).toContain('Bank');
    // people have let in who it was
    expect(await isAlive(keks, token)).toBe(false);
    expect(asked).toHaveLength(2);
  });

  it('is not let in while its document is away; what it has got lives on', async () => {
    const path = '/away';
    behave = json(document(path), { 'cache-control': 'no-store' });
    const { access_token: token } = await letIn(urlOf(path));
    behave = json({}, {}, 503);
    keks.clock.advance(61);
    unread(await open(urlOf(path)));
    expect(await isAlive(keks, token)).toBe(true);
    // an error is not kept
    behave = json(document(path));
    expect((await open(urlOf(path))).status).toBe(200);
  });

  it('is read once, however many come at once', async () => {
    behave = (message, response) => void setImmediate(() => json(document('/many'))(message, response));
    const pages = await Promise.all(Array.from({ length: 6 }, () => open(urlOf('/many'))));
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(asked).toEqual(['/many']);
  });

  it('stays out once an administrator has disabled it, and is not asked any more', async () => {
    behave = json(document('/bad'));
    await open(urlOf('/bad'));
    const admin = await keks.login('Ann');
    const where = `/admin/clients/${encodeURIComponent(urlOf('/bad'))}`;
    expect((await send(keks.url, 'PATCH', where, admin, { disabled: true })).status).toBe(200);
    keks.clock.advance(10 * 86_400);
    await keks.app.get(Maintenance).purge();
    const page = await open(urlOf('/bad'));
    expect([page.status, page.text.includes('does not know who asks')]).toEqual([400, true]);
    expect(asked).toEqual(['/bad']);
  });

  it('429: nobody has Keks ask other hosts without end', async () => {
    behave = json({}, {}, 404);
    const pages: Shown[] = [];
    for (let n = 0; n < 31; n += 1)
      pages.push(
        await new Visitor(keks.url).open(
          authorizePath({ client_id: urlOf(`/n${n}`), redirect_uri: DONE, code_challenge: pkce().challenge }),
          { headers: { 'x-forwarded-for': '10.9.9.9' } },
        ),
      );
    expect(pages.map(({ status }) => status)).toEqual([...Array.from({ length: 30 }, () => 400), 429]);
    expect(asked).toHaveLength(30);
  });
});

describe('a document that does not count (draft §4)', () => {
  it.each([
    ['of another address', { client_id: 'https://app.example/client.json' }],
    ['of none', { client_id: undefined }],
    ['with a secret', { client_secret: 'x' }],
    ['with a method that wants a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['with a method that wants keys, and none', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['without addresses', { redirect_uris: undefined }],
    ['with an address that cannot be', { redirect_uris: ['http://app.example/done'] }],
    ['with the name of the authority', { client_name: 'keks' }],
    ['with scopes of the authority', { scope: 'keks:admin' }],
  ])('%s', async (_, more) => {
    behave = json(document('/flawed', more));
    unread(await open(urlOf('/flawed')));
    const { rows } = await keks.database.client.query('SELECT 1 FROM clients WHERE client_id = $1', [
      urlOf('/flawed'),
    ]);
    expect(rows).toEqual([]);
  });
});

describe('what a stranger cannot have Keks do (SSRF)', () => {
  const good = document('/x');

  it.each<[string, Behaviour]>([
    ['follow a redirect', (_, response) => response.writeHead(302, { location: urlOf('/y') }).end()],
    [
      'read what is no JSON',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{}'),
    ],
    [
      'read JSON that is called something else',
      (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify(good)),
    ],
    ['unpack anything', json(good, { 'content-encoding': 'gzip' })],
    ['take another status for an answer', json(good, {}, 201)],
    ['take a list', json([good])],
    [
      'take a member that comes twice',
      (_, response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(`{"client_id":"a",${JSON.stringify(good).slice(1)}`),
    ],
    ['read more than 10 KB', json({ ...good, x: 'x'.repeat(11_000) })],
    [
      'wait for what is cut off',
      (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
          .write('{', () => response.destroy()),
    ],
  ])('%s', async (_, behaviour) => {
    behave = behaviour;
    unread(await open(urlOf('/x')));
    expect(asked).toEqual(['/x']);
  });

  it('read without end: who sends on and on is cut off', async () => {
    let closed: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (closed = resolve));
    behave = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => void (response.destroyed || response.write(' '.repeat(1_024), more));
      response.on('close', closed);
      more();
    };
    unread(await open(urlOf('/endless')));
    await over;
  });

  it('wait for ever: who drips, and who says nothing, is left after 5 s, here 200 ms, with the connection', async () => {
    let closed = 0;
    const sockets = new Set<{ destroy(): void }>();
    const silent = createPlainServer((socket) => {
      sockets.add(socket);
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => (closed += 1));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port: other } = silent.address() as AddressInfo;
    behave = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 100);
      response.on('close', () => {
        clearInterval(drip);
        closed += 1;
      });
    };
    expect(rules.mostMs).toBe(5_000);
    rules.mostMs = 200;
    const fetching = keks.app.get(GuardedFetch);
    expect(
      await Promise.all([fetching.json(urlOf('/drip')), fetching.json(`https://localhost:${other}/silent`)]),
    ).toEqual([undefined, undefined]);
    await expect.poll(() => closed, { timeout: 90_000 }).toBe(2);
    rules.mostMs = 5_000;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('take its own overload for a word about a document', async () => {
    const waiting: ServerResponse[] = [];
    behave = (_, response) => void waiting.push(response);
    const fetching = keks.app.get(GuardedFetch);
    const running = Array.from({ length: 16 }, (__, n) => fetching.json(urlOf(`/busy-${n}`)));
    await expect(fetching.json(urlOf('/one-more'))).rejects.toThrow(Unavailable);
    await expect.poll(() => waiting.length, { timeout: 90_000 }).toBe(16);
    for (const response of waiting) response.writeHead(404).end();
    expect(new Set(await Promise.all(running))).toEqual(new Set([undefined]));
    behave = json(document('/again'));
    expect(await fetching.json(urlOf('/again'))).toMatchObject({ value: { client_name: 'Diary' } });
  });

  it('ask an address that is not public, by whatever name', async () => {
    rules.isAllowedAddress = isPublicAddress;
    behave = json(good);
    for (const address of ['127.0.0.1', '10.0.0.1', '::1', 'fd00::1', '169.254.169.254']) {
      leadsTo = [address];
      unread(await open('https://app.example/x'));
    }
    unread(await open(`https://127.0.0.1:${port}/x`));
    unread(await open(`https://[::1]:${port}/x`));
    expect(asked).toEqual([]);
  });

  it('ask one of several, of which one is not public', async () => {
    rules.resolve = () => Promise.resolve(['127.0.0.1', '10.0.0.1']);
    behave = json(good);
    unread(await open(urlOf('/x')));
    expect(asked).toEqual([]);
  });

  it('ask another port than that of HTTPS', async () => {
    rules.isAllowedPort = new OutboundRules().isAllowedPort;
    behave = json(good);
    unread(await open(urlOf('/x')));
    expect([asked, looked]).toEqual([[], []]);
  });

  it('be led elsewhere between question and connection (DNS rebinding): a name is resolved once', async () => {
    leadsTo = ['127.0.0.1', '10.0.0.1'];
    behave = json(document('/rebound'));
    expect((await open(urlOf('/rebound'))).status).toBe(200);
    expect([looked, asked]).toEqual([['localhost'], ['/rebound']]);
  });

  it('talk to who cannot prove the name', async () => {
    behave = json({ ...good, client_id: `https://app.example:${port}/x` });
    unread(await open(`https://app.example:${port}/x`));
    expect([looked, asked]).toEqual([['app.example'], []]);
  });
});

describe('client_id addresses (draft §3)', () => {
  it.each([
    ['https://app.example/client.json', true],
    ['https://app.example:8443/a/b?c=d', true],
    ['http://app.example/client.json', false],
    ['https://app.example/', false],
    ['https://app.example', false],
    ['https://app.example/a/../b', false],
    ['https://app.example/./b', false],
    ['https://app.example/%2e%2e/b', false],
    ['https://app.example/a#b', false],
    ['https://app.example/a#', false],
    ['https://user@app.example/a', false],
    ['https://user:secret@app.example/a', false],
    ['https://APP.example/a', false],
    ['https://app.example:443/a', false],
    ['https://2130706433/a', false],
    ['https://0x7f.1/a', false],
    ['https://app.example\\@evil.example/a', false],
    [`https://app.example/${'a'.repeat(300)}`, false],
    ['c-0123456789abcdef01234567', false],
  ])('%s: %s', (text, expected) => {
    expect(isClientIdUrl(text)).toBe(expected);
  });
});

describe('addresses that everybody could ask (RFC 6890)', () => {
  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])('%s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
    ...[
      '172.31.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '192.168.1.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
    ],
    ...[
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
    ],
    ...['fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '2001:db8::1', '2001::1', '2002:7f00:1::', '3fff::1'],
    ...['', 'localhost', '127.1', '0x7f000001'],
  ])('not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('how long a document counts (RFC 9111 §5.2.2)', () => {
  it.each([
    [undefined, 3_600],
    ['max-age=600', 600],
    ['public, Max-Age=600', 600],
    ['max-age=0', 60],
    ['no-store', 60],
    ['max-age=600, no-cache', 60],
    ['max-age=99999999', 86_400],
    ['max-age=x', 3_600],
    ['s-maxage=5', 3_600],
  ])('%s: %s s', (header, seconds) => {
    expect(freshFor(header)).toBe(seconds);
  });
});

describe('CLIENT_METADATA_DOCUMENTS=false', () => {
  it('asks nobody, and knows no such client, also not one from before', async () => {
    behave = json(document('/earlier'));
    await open(urlOf('/earlier'));
    const off = await startTestApp({}, { ...keks.database, close: () => Promise.resolve() });
    try {
      for (const path of ['/earlier', '/new']) {
        const page = await new Visitor(off.url).open(
          authorizePath({ client_id: urlOf(path), redirect_uri: DONE, code_challenge: pkce().challenge }),
        );
        expect([page.status, page.text.includes('does not know who asks')]).toEqual([400, true]);
      }
      expect(asked).toEqual(['/earlier']);
      const metadata = (await request(off.url, '/.well-known/oauth-authorization-server', {})).body;
      expect(metadata).not.toHaveProperty('client_id_metadata_document_supported');
    } finally {
      await off.close();
    }
  });
});
