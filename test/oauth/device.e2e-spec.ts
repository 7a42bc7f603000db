import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { AttemptCounters } from '../../src/auth/throttle/attempt-counters.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { connectionOf } from '../../src/database/pools.js';
import {
  askForCodes,
  codesOf,
  decide,
  DEVICE_GRANT,
  poll,
  sendForm,
  signInAtDevice,
  typeCode,
  type Codes,
} from '../support/device.js';
import {
  addClient,
  basic,
  BY_OPERATOR,
  clientToken,
  expectRefusal,
  isAlive,
  issued,
  refresh,
  secretPost,
  submit,
  type TestClient,
} from '../support/oauth.js';
import { get, PASSWORD, startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { untilWaiting } from '../support/locks.js';
import { Visitor } from '../support/visitor.js';
import { expectError, send } from '../support/wire.js';

const ISSUER = 'http://127.0.0.1:3000';

let keks: TestApp;
/** Another instance on the same database. */
let twin: TestApp;
let open: string;
let other: string;
let secret: TestClient;

const addPublic = async (client: Partial<NewClient> = {}): Promise<string> => {
  const given: NewClient = {
    name: 'Big <b>screen</b>',
    scope: ['cookies:eat', 'cookies:bake'],
    audience: [],
    resources: [],
    tokenFormat: 'opaque',
    deviceGrant: true,
  };
  return (await keks.app.get(ClientsService).addPublic({ ...given, ...client }, BY_OPERATOR)).clientId;
};

const ask = async (parameters: Record<string, string> = {}): Promise<Codes> =>
  codesOf(await askForCodes(keks.url, { client_id: open, scope: 'cookies:eat', ...parameters }));

const asked = (code: string, parameters: Record<string, string> = {}, url = keks.url): Promise<Answer> =>
  poll(url, code, { client_id: open, ...parameters });

/** By somebody of whom there is no other, so that no test uses up the tries of the next. */
let people = 0;
async function somebody(scope = 'cookies:eat'): Promise<string> {
  const name = `Person ${(people += 1)}`;
  await keks.addUser(name, scope);
  return name;
}

const advance = (seconds: number): void => {
  for (const { clock } of [keks, twin]) clock.advance(seconds);
};

/** As if 15 minutes had gone by. */
const forgetTries = (): Promise<unknown> => keks.database.client.query('DELETE FROM attempt_counters');

beforeAll(async () => {
  keks = await startTestApp();
  twin = await startTestApp({}, keks.database);
  await keks.addUser('Ann', 'cookies:eat keks:admin');
  open = await addPublic();
  other = await addPublic({ name: 'Other' });
  secret = await addClient(keks, { name: 'Server', deviceGrant: true });
});

afterAll(async () => {
  await twin.app.close();
  await keks.close();
});

describe('POST /oauth/device_authorization (RFC 8628 §3.1, §3.2)', () => {
  it('200: codes, where to type them, for how long and how often to ask; not to be stored', async () => {
    const answer = await askForCodes(keks.url, { client_id: open, scope: 'cookies:eat' });
    const codes = codesOf(answer);
    expect(codes).toEqual({
      device_code: expect.stringMatching(/^kdc_[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{3}(-[BCDFGHJKLMNPQRSTVWXZ]{3}){2}$/),
      verification_uri: `${ISSUER}/device`,
      verification_uri_complete: `${ISSUER}/device?user_code=${codes.user_code}`,
      expires_in: 600,
      interval: 5,
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('200: of a client with a secret, by Basic and in the form; 401 without it (§3.1)', async () => {
    codesOf(await askForCodes(keks.url, {}, basic(secret)));
    codesOf(await askForCodes(keks.url, secretPost(secret)));
    expectRefusal(await askForCodes(keks.url, { client_id: secret.clientId }), 401, 'invalid_client');
    expectRefusal(await askForCodes(keks.url, {}), 401, 'invalid_client');
    expectRefusal(
      await askForCodes(keks.url, { client_id: 'c-000000000000000000000000' }),
      401,
      'invalid_client',
    );
  });

  it('400: a client that was not given the grant, more scope than it has, an API that it may not reach', async () => {
    const plain = await addClient(keks);
    expectRefusal(await askForCodes(keks.url, {}, basic(plain)), 400, 'unauthorized_client');
    for (const scope of ['cookies:burn', 'keks:account', 'a  b'])
      expectRefusal(await askForCodes(keks.url, { client_id: open, scope }), 400, 'invalid_scope');
    expectRefusal(
      await askForCodes(keks.url, { client_id: open, resource: 'https://far.example' }),
      400,
      'invalid_target',
    );
  });

  it('400: a parameter that comes twice (§3.1); an empty one is an absent one', async () => {
    const twice: [string, string][] = [
      ['client_id', open],
      ['scope', 'cookies:eat'],
      ['scope', 'cookies:bake'],
    ];
    expectRefusal(await askForCodes(keks.url, twice), 400, 'invalid_request');
    codesOf(await askForCodes(keks.url, { client_id: open, scope: '' }));
  });

  it('no code is in the database in clear, and no short one as a mere digest', async () => {
    const { device_code, user_code } = await ask();
    const { rows } = await keks.database.client.query<{ row: string; plain: boolean }>(
      `SELECT d::text AS row, user_code = sha256($1::bytea) OR user_code = sha256($2::bytea) AS plain FROM device_codes d`,
      [user_code, user_code.replaceAll('-', '')],
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { row, plain } of rows) {
      expect(row).not.toContain(device_code);
      expect(row).not.toContain(user_code.replaceAll('-', ''));
      expect(plain).toBe(false);
    }
    expect(keks.log.join('')).not.toContain(device_code);
    expect(keks.log.join('')).not.toContain(user_code);
  });

  it('429: no more than 100 of one network wait at a client without a secret, and 1,000 at a client', async () => {
    const crowded = await addPublic();
    const waiting = (count: number, network: string, clientId: string): Promise<unknown> =>
      keks.database.client.query(
        `INSERT INTO device_codes (digest, user_code, expires_at, client_id, scope, audience, offline, network, pause)
         SELECT sha256(($2 || $3 || n)::bytea), sha256(($2 || $3 || n || 'u')::bytea), now() + interval '5 min', $3, '', '', false, $2, 5
           FROM generate_series(1, $1::int) AS n`,
        [count, network, clientId],
      );
    await waiting(100, '127.0.0.1', crowded);
    const full = await askForCodes(keks.url, { client_id: crowded });
    expectRefusal(full, 429, 'too_many_requests');
    expect(full.headers.get('retry-after')).toBe('60');
    await ask();
    const { clientId } = secret;
    await waiting(1_000, '192.0.2.1', clientId);
    expectRefusal(await askForCodes(keks.url, {}, basic(secret)), 429, 'too_many_requests');
    await keks.database.client.query("UPDATE device_codes SET denied_at = now() WHERE network = '192.0.2.1'");
    codesOf(await askForCodes(keks.url, {}, basic(secret)));
  });
});

describe('POST /oauth/token, grant_type=…:device_code (RFC 8628 §3.4, §3.5)', () => {
  it('400 authorization_pending until a person has decided, then 200: a token of that person, of this client', async () => {
    const { device_code, user_code } = await ask();
    expectRefusal(await asked(device_code), 400, 'authorization_pending');
    const done = await decide(new Visitor(keks.url), 'Ann', user_code);
    expect([done.status, done.text.includes('Your device is let in')]).toEqual([200, true]);
    const { access_token: token, ...rest } = issued(await asked(device_code));
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 3_600, scope: 'cookies:eat' });
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    for (const path of ['/sessions', '/keys', '/consents', '/admin/users'])
      expect((await get(keks.url, path, token)).status).toBe(403);
  });

  it('400 slow_down: five seconds more for this and all later requests, whichever instance is asked', async () => {
    for (const { clock } of [keks, twin]) clock.freeze();
    const { device_code } = await ask();
    const after = async (seconds: number, at: TestApp): Promise<unknown> => {
      advance(seconds);
      return ((await poll(at.url, device_code, { client_id: open })).body as { error: string }).error;
    };
    expect(await after(0, keks)).toBe('authorization_pending');
    expect(await after(5, keks)).toBe('authorization_pending');
    expect(await after(3, keks)).toBe('slow_down');
    expect(await after(5, keks)).toBe('slow_down');
    expect(await after(15, keks)).toBe('authorization_pending');
    const { rows } = await keks.database.client.query<{ pause: number }>(
      'SELECT pause FROM device_codes WHERE digest = sha256($1::bytea)',
      [device_code],
    );
    expect(rows).toEqual([{ pause: 15 }]);
    for (const { clock } of [keks, twin]) clock.thaw();
  });

  it('two polls at once, at two instances: one of them is too fast', async () => {
    const { device_code } = await ask();
    const answers = await Promise.all(
      [keks, twin].map(({ url }) => poll(url, device_code, { client_id: open })),
    );
    expect(answers.map(({ body }) => (body as { error: string }).error).sort()).toEqual([
      'authorization_pending',
      'slow_down',
    ]);
  });

  it('400 access_denied: a person has said no; nothing else comes of it', async () => {
    const { device_code, user_code } = await ask();
    const page = await decide(new Visitor(keks.url), await somebody(), user_code, 'deny');
    expect(page.text).toContain('Nothing was allowed');
    for (const time of ['first', 'second'])
      expect([time, ((await asked(device_code)).body as { error: string }).error]).toEqual([
        time,
        'access_denied',
      ]);
  });

  it('400 expired_token after ten minutes, decided or not', async () => {
    const [early, late] = [await ask(), await ask()];
    await decide(new Visitor(keks.url), await somebody(), late.user_code);
    advance(600);
    expectRefusal(await asked(early.device_code), 400, 'expired_token');
    expectRefusal(await asked(late.device_code), 400, 'expired_token');
  });

  it('400 invalid_grant a second time, and what the first got lives on', async () => {
    const { device_code, user_code } = await ask({ scope: 'cookies:eat offline_access' });
    await decide(new Visitor(keks.url), await somebody(), user_code);
    const { access_token } = issued(await asked(device_code));
    expectRefusal(await asked(device_code), 400, 'invalid_grant');
    expect(await isAlive(keks, access_token)).toBe(true);
  });

  it('ten at once, at two instances: one gets a token', async () => {
    const { device_code, user_code } = await ask();
    await decide(new Visitor(keks.url), await somebody(), user_code);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) => asked(device_code, {}, at % 2 ? keks.url : twin.url)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 200) expectRefusal(answer, 400, 'invalid_grant');
  });

  it('400: another client’s, none, a wrong one, another API; and the code is unharmed (§3.4)', async () => {
    const { device_code, user_code } = await ask();
    await decide(new Visitor(keks.url), await somebody(), user_code);
    expectRefusal(await asked(device_code, { client_id: other }), 400, 'invalid_grant');
    expectRefusal(await poll(keks.url, device_code, {}, basic(secret)), 400, 'invalid_grant');
    expectRefusal(await poll(keks.url, device_code, {}), 401, 'invalid_client');
    expectRefusal(await asked(''), 400, 'invalid_request');
    expectRefusal(await asked(`${device_code}x`), 400, 'invalid_grant');
    expectRefusal(await asked(user_code), 400, 'invalid_grant');
    expectRefusal(await asked(device_code, { resource: 'https://far.example' }), 400, 'invalid_target');
    issued(await asked(device_code));
  });

  it('resource: the token is for that API (RFC 8707 §2.2)', async () => {
    const api = await addClient(keks, { audience: ['https://oven.example'] });
    const app = await addPublic({ resources: ['https://oven.example'] });
    const { device_code, user_code } = await ask({ client_id: app, resource: 'https://oven.example' });
    const page = await typeCode(new Visitor(keks.url), await somebody(), user_code);
    expect(page.text).toContain('at https://oven.example');
    await decide(new Visitor(keks.url), await somebody(), user_code);
    const { access_token: token } = issued(await poll(keks.url, device_code, { client_id: app }));
    expect((await get(keks.url, '/cookies', token)).status).toBe(401);
    const seen = await submit(keks.url, '/oauth/introspect', { token }, basic(api));
    expect(seen.body).toMatchObject({ active: true, client_id: app, aud: 'https://oven.example' });
  });

  it('offline_access: a refresh token, bound to its client, as with a code', async () => {
    const { device_code, user_code } = await ask({ scope: 'cookies:eat offline_access' });
    const page = await typeCode(new Visitor(keks.url), await somebody(), user_code);
    expect(page.text).toContain('while you are away');
    await decide(new Visitor(keks.url), await somebody(), user_code);
    const token = issued(await asked(device_code)).refresh_token ?? '';
    expectRefusal(await refresh(keks, token, { client_id: other }), 400, 'invalid_grant');
    issued(await refresh(keks, token, { client_id: open }));
  });

  it('gives a JWT to a client that wants those', async () => {
    const app = await addPublic({ tokenFormat: 'jwt' });
    const { device_code, user_code } = await ask({ client_id: app });
    await decide(new Visitor(keks.url), 'Ann', user_code);
    const { access_token: token } = issued(await poll(keks.url, device_code, { client_id: app }));
    expect(token.split('.')).toHaveLength(3);
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
  });
});

describe('GET /device', () => {
  it('is like the pages of consent: in nobody’s frame, without scripts, not kept', async () => {
    const page = await new Visitor(keks.url).open('/device');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.text).not.toMatch(/<script|style=|https?:\/\//);
  });

  it('says who asks, which code its device shows and what it may, and shows names as text', async () => {
    const { user_code } = await ask({ scope: 'cookies:eat' });
    const page = await typeCode(new Visitor(keks.url), await somebody(), user_code);
    expect(page.text).toContain('Big &lt;b&gt;screen&lt;/b&gt;');
    expect(page.text).toContain(user_code);
    expect(page.text).toContain('<code>cookies:eat</code>');
    expect(page.text).toContain('from 127.0.0.1');
    expect(page.text).not.toContain('<b>');
  });

  it.each([
    ['small letters', (code: string) => code.toLowerCase()],
    ['no dashes', (code: string) => code.replaceAll('-', '')],
    ['blanks and dots', (code: string) => ` ${code.replaceAll('-', ' . ')} `],
  ])('takes a code with %s (RFC 8628 §6.1)', async (_, typed) => {
    const { user_code } = await ask();
    const page = await typeCode(new Visitor(keks.url), await somebody(), typed(user_code));
    expect([page.status, page.text.includes('>Allow<')]).toEqual([200, true]);
  });

  it('a code that comes with the address still has to be confirmed, and is not looked up before (§3.3.1, §5.4)', async () => {
    const { device_code, user_code } = await ask();
    const visitor = new Visitor(keks.url);
    const page = await signInAtDevice(visitor, await somebody(), `/device?user_code=${user_code}`);
    expect(page.text).toContain(`value="${user_code}"`);
    expect(page.text).toContain('My device shows this code');
    expect(page.text).not.toContain('Big');
    const same = await visitor.open('/device?user_code=BBB-BBB-BBB');
    expect(same.text).toContain('My device shows this code');
    expectRefusal(await asked(device_code), 400, 'authorization_pending');
    const consent = await sendForm(visitor, page, 'code', { user_code });
    expect(consent.text).toContain('>Allow<');
  });

  it('puts nothing from the address into the page but a code', async () => {
    const page = await signInAtDevice(
      new Visitor(keks.url),
      await somebody(),
      `/device?user_code=${encodeURIComponent('"><b>')}`,
    );
    expect(page.text).not.toContain('&quot;&gt;');
    expect(page.text).toContain('Which code does your device show?');
  });

  it('refuses codes that are unknown, used, denied or over, all with one page', async () => {
    const visitor = new Visitor(keks.url);
    const name = await somebody();
    const [used, denied, over] = [await ask(), await ask(), await ask()];
    await decide(visitor, name, used.user_code);
    await decide(visitor, name, denied.user_code, 'deny');
    await keks.database.client.query(
      "UPDATE device_codes SET expires_at = now() - interval '1 s' WHERE digest = sha256($1::bytea)",
      [over.device_code],
    );
    for (const code of ['BBB-BBB-BBB', 'x', '', used.user_code, denied.user_code, over.user_code]) {
      const page = await typeCode(visitor, name, code);
      expect([code, page.status, page.text.includes('No device is waiting with this code.')]).toEqual([
        code,
        400,
        true,
      ]);
    }
    const { rows } = await keks.database.client.query<{ count: number }>(
      "SELECT count(*)::int FROM audit_events WHERE type = 'user_code.refused' AND actor = $1",
      [`user:${name}`],
    );
    expect(rows).toEqual([{ count: 6 }]);
  });

  it('a wrong password, a form that nobody was shown, one from another site: and nothing happens', async () => {
    const visitor = new Visitor(keks.url);
    const name = await somebody();
    const wrong = await sendForm(visitor, await visitor.open('/device'), 'login', {
      user: name,
      password: 'no',
    });
    expect([wrong.status, wrong.text.includes('The name or the password is wrong.')]).toEqual([403, true]);
    const { device_code, user_code } = await ask();
    const consent = await typeCode(visitor, name, user_code);
    const stranger = new Visitor(keks.url);
    await signInAtDevice(stranger, await somebody());
    const forged = await sendForm(stranger, consent, 'consent', { decision: 'allow' });
    expect([forged.status, forged.text.includes('not one that you were shown')]).toEqual([403, true]);
    const nobody = await sendForm(new Visitor(keks.url), consent, 'consent', { decision: 'allow' });
    expect(nobody.status).toBe(403);
    const code = await visitor.open('/device');
    // the proof of one form is none for another
    expect((await sendForm(visitor, code, 'consent', { request: user_code, decision: 'allow' })).status).toBe(
      403,
    );
    const elsewhere = await visitor.open('/device/consent', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams({ request: user_code, proof: 'x', decision: 'allow' }).toString(),
    });
    expect(elsewhere.status).toBe(403);
    expect((await sendForm(visitor, consent, 'consent', {})).status).toBe(400);
    expectRefusal(await asked(device_code), 400, 'authorization_pending');
  });

  it('a page that was open for too long counts no more', async () => {
    const visitor = new Visitor(keks.url);
    const page = await signInAtDevice(visitor, await somebody());
    advance(601);
    const late = await sendForm(visitor, page, 'code', { user_code: 'BBB-BBB-BBB' });
    expect([late.status, late.text.includes('open for too long')]).toEqual([403, true]);
  });

  it('lets a person be somebody else', async () => {
    const visitor = new Visitor(keks.url);
    const [one, two] = [await somebody(), await somebody()];
    const { user_code } = await ask();
    const page = await typeCode(visitor, one, user_code);
    const link = /href="([^"]*login=again[^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const again = await visitor.open(new URL(link, `${keks.url}/device/code`).href.slice(keks.url.length));
    expect(again.text).toContain('name="password"');
    const next = await sendForm(visitor, again, 'login', { user: two, password: PASSWORD });
    expect((await visitor.open((next.location ?? '').replace('../', '/'))).text).toContain(
      `Signed in as ${two}`,
    );
  });

  it.each(['code', 'consent', 'decided'] as const)(
    'signs a person out from the page of the %s, and leads back to it',
    async (which) => {
      const visitor = new Visitor(keks.url);
      const user = await somebody();
      const { user_code } = await ask();
      let page = await signInAtDevice(visitor, user, `/device?user_code=${user_code}`);
      if (which !== 'code') page = await sendForm(visitor, page, 'code', { user_code });
      if (which === 'decided') page = await sendForm(visitor, page, 'consent', { decision: 'deny' });
      const cookie = visitor.cookies.get('keks-session') ?? '';
      const forged = await sendForm(visitor, page, 'sign-out', { proof: '1.x' });
      expect([forged.status, await isAlive(keks, cookie)]).toEqual([403, true]);
      const left = await sendForm(visitor, page, 'sign-out');
      expect([left.status, left.text.includes('You are signed out')]).toEqual([200, true]);
      expect([visitor.cookies.get('keks-session'), await isAlive(keks, cookie)]).toEqual(['', false]);
      const back = which === 'decided' ? '' : `user_code=${user_code}`;
      expect(left.text).toContain(`<a href="../device?${back}">Sign in again</a>`);
      expect((await visitor.open(`/device?${back}`)).text).toContain('name="password"');
    },
  );

  it('somebody who has nothing of what is asked cannot give it; of the rest, what they have', async () => {
    const { device_code, user_code } = await ask({ scope: 'cookies:eat cookies:bake' });
    const nothing = await typeCode(new Visitor(keks.url), await somebody('tea:pour'), user_code);
    expect([nothing.status, nothing.text.includes('You cannot give this device')]).toEqual([400, true]);
    await decide(new Visitor(keks.url), await somebody('cookies:bake'), user_code);
    expect(issued(await asked(device_code)).scope).toBe('cookies:bake');
  });

  it('405: no other method', async () => {
    expectError(await send(keks.url, 'PUT', '/device', undefined, {}), 405, 'method_not_allowed');
  });
});

describe('guessing codes (RFC 8628 §5.1)', () => {
  it('429 after 20 tries of a person in 15 minutes, right ones too, at any instance', async () => {
    await forgetTries();
    const visitor = new Visitor(keks.url);
    const page = await signInAtDevice(visitor, await somebody());
    const there = new Visitor(twin.url);
    for (const [name, value] of visitor.cookies) there.cookies.set(name, value);
    const tries = await Promise.all(
      Array.from({ length: 24 }, (_, at) =>
        sendForm(at % 2 ? visitor : there, page, 'code', { user_code: 'BBB-BBB-BBB' }),
      ),
    );
    expect(tries.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(4);
    const refused = tries.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(800);
    const { user_code } = await ask();
    expect((await sendForm(visitor, page, 'code', { user_code })).status).toBe(429);
    // another person is not hindered
    expect((await typeCode(new Visitor(keks.url), await somebody(), user_code)).status).toBe(200);
    advance(901);
    const next = await signInAtDevice(visitor, 'nobody');
    expect((await sendForm(visitor, next, 'code', { user_code: (await ask()).user_code })).status).toBe(200);
  });

  it.each([
    ['all people of a network have tried 100', ['network', '127.0.0.1'], 100],
    ['all people have tried 1,000', ['all'], 1_000],
  ])('429 when %s', async (_, what, most) => {
    const { user_code } = await ask();
    const tried = async (failures: number): Promise<number> => {
      await forgetTries();
      const [key] = keks.app.get(AttemptCounters).key('user-code', ...what);
      await keks.database.client.query('INSERT INTO attempt_counters VALUES ($1, $2, $3)', [
        key,
        failures,
        new Date(keks.clock.now() + 60_000),
      ]);
      return (await typeCode(new Visitor(keks.url), await somebody(), user_code)).status;
    };
    expect(await tried(most)).toBe(429);
    expect(await tried(most - 1)).toBe(200);
    await forgetTries();
  });
});

describe('what a device got', () => {
  it('is a consent that its person and an administrator see and end, in the life story of its tokens', async () => {
    const name = await somebody();
    const app = await addPublic();
    const admin = await keks.login('Ann');
    const letIn = async (): Promise<string> => {
      const { device_code, user_code } = await ask({ client_id: app });
      await decide(new Visitor(keks.url), name, user_code);
      return issued(await poll(keks.url, device_code, { client_id: app })).access_token;
    };
    const token = await letIn();
    const own = await keks.login(name);
    expect((await get(keks.url, '/consents', own)).body).toMatchObject({
      items: [{ client_id: app, scope: 'cookies:eat', remembered: false }],
    });
    expect((await send(keks.url, 'DELETE', `/consents/${app}`, own)).status).toBe(204);
    expect(await isAlive(keks, token)).toBe(false);
    const next = await letIn();
    const { items } = (await get(keks.url, `/admin/grants?client_id=${app}`, admin)).body as {
      items: { id: string; kind: string }[];
    };
    expect(items.map(({ kind }) => kind)).toEqual(['consent']);
    expect((await send(keks.url, 'DELETE', `/admin/grants/${items[0]?.id}`, admin)).status).toBe(204);
    expect(await isAlive(keks, next)).toBe(false);
    const { body } = await send(keks.url, 'POST', '/admin/tokens/story', admin, { token: next });
    expect(
      (body as { events: { what: string; by: string }[] }).events.map(({ what, by }) => [what, by]),
    ).toEqual([
      ['consent.given', `user:${name}`],
      ['token.issued', `client:${app}`],
      ['grant.revoked', 'user:Ann'],
    ]);
  });

  it.each([
    [
      'the client is disabled',
      (id: string) => keks.app.get(ClientsService).change(id, { disabled: true }, BY_OPERATOR),
    ],
    [
      'the grant is taken from the client',
      (id: string) =>
        keks.app
          .get(ClientsService)
          .change(id, { redirectUris: ['https://app.example/'], deviceGrant: false }, BY_OPERATOR),
    ],
  ])('dies at once when %s, and so does a code that was allowed', async (_, end) => {
    const app = await addPublic();
    const [first, second] = [await ask({ client_id: app }), await ask({ client_id: app })];
    for (const { user_code } of [first, second]) await decide(new Visitor(keks.url), 'Ann', user_code);
    const { access_token } = issued(await poll(keks.url, first.device_code, { client_id: app }));
    await end(app);
    expect(await isAlive(keks, access_token)).toBe(false);
    expect((await poll(keks.url, second.device_code, { client_id: app })).status).not.toBe(200);
  });

  it('a client that may less by now is not let in for what it asked', async () => {
    const app = await addPublic();
    const { user_code } = await ask({ client_id: app, scope: 'cookies:eat cookies:bake' });
    const visitor = new Visitor(keks.url);
    const page = await typeCode(visitor, await somebody('cookies:eat cookies:bake'), user_code);
    expect(page.text).toContain('cookies:bake');
    await keks.app.get(ClientsService).change(app, { scope: ['cookies:eat'] }, BY_OPERATOR);
    expect((await sendForm(visitor, page, 'consent', { decision: 'allow' })).status).toBe(400);
    expect((await typeCode(visitor, 'nobody', user_code)).status).toBe(400);
  });

  it('400: the consent is ended before the device comes', async () => {
    const name = await somebody();
    const { device_code, user_code } = await ask();
    await decide(new Visitor(keks.url), name, user_code);
    await send(keks.url, 'DELETE', `/consents/${open}`, await keks.login(name));
    expectRefusal(await asked(device_code), 400, 'invalid_grant');
  });
});

describe('races', () => {
  /** Holds the row of a code until both have come. */
  async function held<T>(code: string, work: () => Promise<T>[], set: string): Promise<T[]> {
    const holder = new Client(connectionOf(keks.database.url));
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query(`UPDATE device_codes SET ${set} WHERE digest = sha256($1::bytea)`, [code]);
      const waiting = work();
      await untilWaiting(keks.database, waiting.length);
      await holder.query('COMMIT');
      return await Promise.all(waiting);
    } finally {
      await holder.end();
    }
  }

  it('two people allow at once: one of them has given a consent', async () => {
    const { device_code, user_code } = await ask();
    const visitors = [keks, twin].map(({ url }) => new Visitor(url));
    const pages = await Promise.all(visitors.map(async (one) => typeCode(one, await somebody(), user_code)));
    const answers = await held(
      device_code,
      () => visitors.map((one, at) => sendForm(one, pages[at]!, 'consent', { decision: 'allow' })),
      'pause = 5',
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    issued(await asked(device_code));
  });

  it('a person allows while the time ends: nothing was given', async () => {
    const { device_code, user_code } = await ask();
    const visitor = new Visitor(keks.url);
    const page = await typeCode(visitor, await somebody(), user_code);
    const [answer] = await held(
      device_code,
      () => [sendForm(visitor, page, 'consent', { decision: 'allow' })],
      "expires_at = now() - interval '1 s'",
    );
    expect(answer?.status).toBe(400);
    expectRefusal(await asked(device_code), 400, 'expired_token');
  });

  it('a person denies while another allows: the second is told', async () => {
    const { device_code, user_code } = await ask();
    const visitor = new Visitor(keks.url);
    const page = await typeCode(visitor, await somebody(), user_code);
    const [answer] = await held(
      device_code,
      () => [sendForm(visitor, page, 'consent', { decision: 'allow' })],
      'denied_at = now()',
    );
    expect(answer?.status).toBe(400);
    expectRefusal(await asked(device_code), 400, 'access_denied');
  });
});

describe('clients', () => {
  it('that have the device grant get nothing for themselves', async () => {
    const form = { grant_type: 'client_credentials' };
    expectRefusal(await submit(keks.url, '/oauth/token', form, basic(secret)), 400, 'unauthorized_client');
    const plain = await addClient(keks);
    const { access_token } = await clientToken(keks, plain);
    await keks.app.get(ClientsService).change(plain.clientId, { deviceGrant: true }, BY_OPERATOR);
    expect(await isAlive(keks, access_token)).toBe(false);
  });

  it('are given it by an administrator, and have to have it or a redirect address if they have no secret', async () => {
    const admin = await keks.login('Ann');
    const body = { name: 'Terminal', token_endpoint_auth_method: 'none', scope: 'cookies:eat' };
    const added = await send(keks.url, 'POST', '/admin/clients', admin, { ...body, device_grant: true });
    expect(added).toMatchObject({ status: 201, body: { device_grant: true, redirect_uris: [] } });
    expectError(await send(keks.url, 'POST', '/admin/clients', admin, body), 400, 'invalid_request');
    const own = { ...body, device_grant: true, scope: 'keys:write' };
    expectError(await send(keks.url, 'POST', '/admin/clients', admin, own), 400, 'invalid_scope');
    const id = (added.body as { client_id: string }).client_id;
    const path = `/admin/clients/${id}`;
    expectError(await send(keks.url, 'PATCH', path, admin, { device_grant: false }), 400, 'invalid_request');
    const moved = { device_grant: false, redirect_uris: ['https://app.example/'] };
    expect(await send(keks.url, 'PATCH', path, admin, moved)).toMatchObject({
      status: 200,
      body: { device_grant: false },
    });
  });
});

it('the metadata names the endpoint and the grant type (RFC 8628 §4)', async () => {
  const { body } = await get(keks.url, '/.well-known/oauth-authorization-server');
  expect(body).toMatchObject({
    device_authorization_endpoint: `${ISSUER}/oauth/device_authorization`,
    grant_types_supported: expect.arrayContaining([DEVICE_GRANT]),
  });
});

it('codes are purged a day after their end', async () => {
  await ask();
  const count = async (): Promise<number | undefined> =>
    (await keks.database.client.query<{ n: number }>('SELECT count(*)::int AS n FROM device_codes')).rows[0]
      ?.n;
  const maintenance = keks.app.get(Maintenance);
  advance(23 * 3_600);
  await maintenance.run();
  expect(await count()).toBeGreaterThan(0);
  advance(2 * 3_600);
  await maintenance.run();
  expect(await count()).toBe(0);
});
