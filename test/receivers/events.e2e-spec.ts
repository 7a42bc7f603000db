import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventSender } from '../../src/auth/receivers/event-sender.js';
import { Receivers } from '../../src/auth/receivers/receivers.js';
import { EventReceiver, type Heard } from '../support/event-receiver.js';
import { addClient, BY_OPERATOR, clientToken, refresh, stayLoggedIn } from '../support/oauth.js';
import { get, PASSWORD, PATIENTLY, post, request, startTestApp, type TestApp } from '../support/test-app.js';

const ISSUER = 'http://127.0.0.1:3000';
const OPENID = 'https://schemas.openid.net/secevent';
const NEW_PASSWORD = 'eleven green gingerbreads above a red sun';

let keks: TestApp;
let receiver: EventReceiver;
let admin: string;
let number = 0;

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const call = (method: string, path: string, token: string, body?: object) =>
  request(keks.url, path, {
    method,
    headers: { ...bearer(token), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

async function somebody(): Promise<{ name: string; id: string }> {
  const name = `Somebody ${(number += 1)}`;
  await keks.addUser(name);
  const { rows } = await keks.database.client.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [
    name,
  ]);
  return { name, id: rows[0]?.id ?? '' };
}

/** So many, and nothing else is left to be sent. */
async function heard(count: number): Promise<Heard[]> {
  keks.app.get(EventSender).wake();
  await expect.poll(() => receiver.heard.length, PATIENTLY).toBeGreaterThanOrEqual(count);
  await expect.poll(waiting, PATIENTLY).toBe(0);
  expect(receiver.heard.map(({ event }) => event)).toHaveLength(count);
  return receiver.heard;
}

async function waiting(): Promise<number> {
  const { rows } = await keks.database.client.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM undelivered_events',
  );
  return rows[0]?.n ?? -1;
}

const session = async (token: string): Promise<string> => {
  const { body } = await get(keks.url, '/sessions', token);
  return (body as { items: { id: string; current: boolean }[] }).items.find((one) => one.current)?.id ?? '';
};

beforeAll(async () => {
  keks = await startTestApp({
    RECEIVERS_PRIVATE_ADDRESSES: 'true',
    LOGIN_FAILURES_PER_ACCOUNT: '3',
    LOGIN_FAILURES_PER_ADDRESS: '5',
    TRUST_PROXY: '127.0.0.1',
  });
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
  receiver = await EventReceiver.start();
});

afterAll(async () => {
  await keks.close();
  await receiver.close();
});

describe('without a receiver', () => {
  it('nothing is written down', async () => {
    const { name } = await somebody();
    const token = await keks.login(name);
    await post(keks.url, '/revoke', { token });
    expect(await waiting()).toBe(0);
  });
});

describe('what a receiver is told', () => {
  beforeAll(async () => {
    const made = await keks.app
      .get(Receivers)
      .add({ name: 'all', url: receiver.url, audience: 'https://receiver.example' }, BY_OPERATOR);
    expect(made).toHaveProperty('added');
  });

  beforeEach(() => receiver.heard.splice(0));

  it('is a Security Event Token, signed by a key of the JWKS, which is good for nothing else (RFC 8417 §2.2, §3)', async () => {
    const { name, id } = await somebody();
    const token = await keks.login(name, 'keks:account');
    const ofSession = await session(token);
    const { id: tokenId } = await tokenOf(token);
    await post(keks.url, '/revoke', { token });
    const [one] = await heard(1);
    const { body: jwks } = await get(keks.url, '/.well-known/jwks.json');
    const { payload, protectedHeader } = await jwtVerify(
      one?.token ?? '',
      createLocalJWKSet(jwks as JSONWebKeySet),
      { issuer: ISSUER, audience: 'https://receiver.example', typ: 'secevent+jwt', algorithms: ['ES256'] },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'secevent+jwt', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: ISSUER,
      aud: 'https://receiver.example',
      iat: expect.any(Number),
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      txn: expect.any(String),
      sub_id: {
        format: 'complex',
        user: { format: 'iss_sub', iss: ISSUER, sub: id },
        session: { format: 'opaque', id: ofSession },
      },
      events: {
        [`${OPENID}/oauth/event-type/token-revoked`]: {
          event_timestamp: payload.iat,
          token_type: 'access_token',
          token_identifier_alg: 'plain',
          token: tokenId,
        },
      },
    });
    expect(one?.type).toBe('application/secevent+jwt secevent+jwt');
    expect((await get(keks.url, '/cookies', one?.token)).status).toBe(401);
    expect((await post(keks.url, '/validate', { token: one?.token })).status).toBe(401);
  });

  it('a session that is ended, by the id that is the sid of its JWTs', async () => {
    const { name, id } = await somebody();
    const token = await keks.login(name, 'keks:account');
    const other = await stayLoggedIn(keks, name, { format: 'jwt' });
    const { sid } = JSON.parse(Buffer.from(other.token.split('.')[1] ?? '', 'base64url').toString()) as {
      sid: string;
    };
    expect((await call('DELETE', `/sessions/${sid}`, token)).status).toBe(204);
    const [one] = await heard(1);
    expect([one?.event, one?.claims.sub_id]).toEqual([
      'session-revoked',
      {
        format: 'complex',
        user: { format: 'iss_sub', iss: ISSUER, sub: id },
        session: { format: 'opaque', id: sid },
      },
    ]);
  });

  it('a user who is disabled, once and not for each session', async () => {
    const { name, id } = await somebody();
    await keks.login(name);
    await keks.login(name);
    await call('PATCH', `/admin/users/${id}`, admin, { disabled: true });
    const [one] = await heard(1);
    expect([one?.event, one?.claims.sub_id]).toEqual([
      'account-disabled',
      { format: 'iss_sub', iss: ISSUER, sub: id },
    ]);
  });

  it('all of a user’s that is taken back: sessions, and then tokens, of one and the same request', async () => {
    const { name, id } = await somebody();
    await keks.login(name);
    await call('POST', `/admin/users/${id}/revoke`, admin);
    const told = await heard(2);
    expect(told.map(({ event }) => event)).toEqual(['session-revoked', 'tokens-revoked']);
    for (const { claims } of told) expect(claims.sub_id).toEqual({ format: 'iss_sub', iss: ISSUER, sub: id });
    expect(new Set(told.map(({ claims }) => claims.txn)).size).toBe(1);
    expect(new Set(told.map(({ claims }) => claims.jti)).size).toBe(2);
  });

  it('sessions that a user ends, all at once', async () => {
    const { name, id } = await somebody();
    const token = await keks.login(name, 'keks:account');
    await keks.login(name);
    expect((await call('DELETE', '/sessions', token)).status).toBe(204);
    const [one] = await heard(1);
    expect([one?.event, one?.claims.sub_id]).toEqual([
      'session-revoked',
      { format: 'iss_sub', iss: ISSUER, sub: id },
    ]);
  });

  it('a client that is disabled, and one whose tokens are taken back', async () => {
    const { clientId, ...client } = await addClient(keks);
    await clientToken(keks, { clientId, ...client });
    await call('POST', `/admin/clients/${clientId}/revoke`, admin);
    await call('PATCH', `/admin/clients/${clientId}`, admin, { disabled: true });
    const told = await heard(2);
    const subject = { format: 'iss_sub', iss: ISSUER, sub: clientId };
    expect(told.map(({ event, claims }) => [event, claims.sub_id])).toEqual([
      ['tokens-revoked', subject],
      ['client-disabled', subject],
    ]);
  });

  it('a refresh token that was stolen, and that its session is over (RFC 9700 §4.14)', async () => {
    const { name, id } = await somebody();
    const { refresh_token: first } = await stayLoggedIn(keks, name);
    const next = await refresh(keks, first);
    await refresh(keks, (next.body as { refresh_token: string }).refresh_token);
    expect((await refresh(keks, first)).status).toBe(400);
    const [theft, end] = await heard(2);
    expect([theft?.event, theft?.said, theft?.claims.sub_id]).toEqual([
      'credential-compromise',
      {
        credential_type: 'refresh_token',
        event_timestamp: theft?.claims.iat,
        reason_admin: { en: 'refresh_replayed' },
      },
      expect.objectContaining({ user: { format: 'iss_sub', iss: ISSUER, sub: id } }),
    ]);
    expect(end).toMatchObject({ event: 'session-revoked', claims: { sub_id: theft?.claims.sub_id } });
    expect(end?.said).not.toHaveProperty('credential_type');
    // whoever shows it again can make no more of them
    await refresh(keks, first);
    await heard(2);
  });

  it('a new password, and the sessions that it ends', async () => {
    const { name, id } = await somebody();
    const token = await keks.login(name, 'keks:account');
    await keks.login(name);
    const changed = await call('PUT', '/password', token, {
      old_password: PASSWORD,
      new_password: NEW_PASSWORD,
    });
    expect(changed.status).toBe(204);
    const told = await heard(2);
    expect(told.map(({ event }) => event)).toEqual(['session-revoked', 'credential-change']);
    expect(told[1]).toMatchObject({
      said: { credential_type: 'password', change_type: 'update' },
      claims: { sub_id: { format: 'iss_sub', iss: ISSUER, sub: id } },
    });
  });

  it('an API key that is taken back', async () => {
    const { name, id } = await somebody();
    const token = await keks.login(name, 'keks:account cookies:eat');
    const made = await call('POST', '/keys', token, { label: 'mine', password: PASSWORD });
    const { id: key } = made.body as { id: string };
    expect((await call('DELETE', `/keys/${key}`, token)).status).toBe(204);
    const [one] = await heard(1);
    expect(one).toMatchObject({
      event: 'credential-change',
      said: { credential_type: 'api_key', change_type: 'revoke', key_id: key },
      claims: { sub_id: { format: 'iss_sub', iss: ISSUER, sub: id } },
    });
  });

  it('logins that are refused from now on: of a user, and from an address, each once', async () => {
    const { name, id } = await somebody();
    const fail = (user: string) =>
      post(
        keks.url,
        '/issue',
        { user, password: 'wrong password for sure' },
        { 'x-forwarded-for': '203.0.113.7' },
      );
    for (let attempt = 0; attempt < 4; attempt += 1) await fail(name);
    for (let attempt = 0; attempt < 4; attempt += 1) await fail('Nobody at all');
    const told = await heard(2);
    expect(told.map(({ said, claims }) => [said['limit'], claims.sub_id])).toEqual([
      ['account', { format: 'iss_sub', iss: ISSUER, sub: id }],
      ['address', { format: 'ip-addresses', 'ip-addresses': ['203.0.113.7'] }],
    ]);
    expect(told[0]?.claims).toHaveProperty(['events', `${ISSUER}/event-type/login-throttled`]);
  });

  it('nothing secret: no token, password, name or digest of all of this', async () => {
    const { name } = await somebody();
    const { token, refresh_token: stolen } = await stayLoggedIn(keks, name);
    await refresh(keks, stolen);
    await keks.app.get(Receivers).list();
    await post(keks.url, '/revoke', { token: stolen });
    const [one] = await heard(1);
    const text = JSON.stringify([one?.claims, one?.token]);
    for (const secret of [token, stolen, name, PASSWORD]) expect(text).not.toContain(secret);
  });

  it('nothing that was not committed', async () => {
    const { client } = keks.database;
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO audit_events (created_at, type, actor, detail)
       VALUES (clock_timestamp(), 'client.disabled', 'operator', '{"client_id": "c-nobody"}')`,
    );
    expect(await waiting()).toBe(1);
    await client.query('ROLLBACK');
    await heard(0);
  });
});

describe('a receiver of some events', () => {
  it('is told of these only', async () => {
    const other = await EventReceiver.start();
    const receivers = keks.app.get(Receivers);
    const made = await receivers.add(
      { name: 'some', url: other.url, events: ['account-disabled'] },
      BY_OPERATOR,
    );
    receiver.heard.splice(0);
    const { name, id } = await somebody();
    const token = await keks.login(name);
    await post(keks.url, '/revoke', { token });
    await call('PATCH', `/admin/users/${id}`, admin, { disabled: true });
    await heard(2);
    expect(other.heard.map(({ event, claims }) => [event, claims.aud])).toEqual([
      ['account-disabled', other.url],
    ]);
    if ('added' in made) await receivers.remove(made.added.id, BY_OPERATOR);
    await other.close();
  });
});

async function tokenOf(token: string): Promise<{ id: string }> {
  const { rows } = await keks.database.client.query<{ id: string }>(
    `SELECT token_id AS id FROM audit_events WHERE type = 'token.issued' AND grant_id = $1`,
    [await session(token)],
  );
  return rows[0] ?? { id: '' };
}
