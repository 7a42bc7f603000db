import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { ClientAuthentication } from '../../src/auth/clients/client-authentication.js';
import { ClientCredentialsGrant } from '../../src/auth/oauth/client-credentials-grant.js';
import { RefreshRequests } from '../../src/auth/oauth/refresh-requests.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { connectionOf } from '../../src/database/pools.js';
import { digestOf } from '../../src/auth/tokens/token-format.js';
import { untilWaiting } from '../support/locks.js';
import {
  addClient,
  basic,
  isAlive,
  issued,
  refresh,
  stayLoggedIn,
  submit,
  type Issued,
  type TestClient,
} from '../support/oauth.js';
import { logStatements, type StatementLog } from '../support/statement-log.js';
import { startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { tally } from '../support/wire.js';

/** What is asked for together is one transaction, and each is answered after it: tokens of clients, and refreshes. */
let keks: TestApp;
let clients: TestClient[];
let statements: StatementLog;

const SCOPES = ['cookies:eat', 'keks:account', 'cookies:eat keks:account'];

const ask = (client: TestClient, scope?: string): Promise<Answer> =>
  submit(
    keks.url,
    '/oauth/token',
    { grant_type: 'client_credentials', ...(scope ? { scope } : {}) },
    basic(client),
  );

const together = <T>(count: number, one: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => one(at)));

const pick = <T>(all: readonly T[], at: number): T => all[at % all.length] as T;

beforeAll(async () => {
  keks = await startTestApp();
  clients = await together(4, (n) =>
    addClient(keks, { scope: ['cookies:eat', 'keks:account'], tokenFormat: n === 3 ? 'jwt' : 'opaque' }),
  );
  statements = await logStatements(keks.database, keks.app);
  for (const client of clients) while ((await ask(client)).status !== 200);
  await keks.addUser('Ann', 'cookies:eat');
});

afterAll(() => keks.close());

it('120 tokens that are asked for in one turn are one transaction, and each is what its own client asked for', async () => {
  const authentication = keks.app.get(ClientAuthentication);
  const known = await together(clients.length, (n) => {
    const request = { url: '/oauth/token', headers: basic(pick(clients, n)), body: {} };
    return authentication.authenticate(authentication.presented(request)!);
  });
  const grant = keks.app.get(ClientCredentialsGrant);
  await statements.since();
  const answers = await together(120, (n) =>
    grant.exchange(pick(known, n), { scope: pick(SCOPES, n) }, OPERATOR),
  );
  expect(await statements.since()).toEqual(['issue_to_clients']);
  const tokens = answers.map(({ token }) => token);
  expect(new Set(tokens).size).toBe(120);
  for (const [n, token] of tokens.entries()) {
    const { body } = await submit(keks.url, '/oauth/introspect', { token }, basic(pick(clients, n)));
    expect(body).toMatchObject({
      active: true,
      scope: pick(SCOPES, n),
      client_id: pick(clients, n).clientId,
    });
    expect(token.includes('.')).toBe(n % 4 === 3);
  }
});

it('each has an audit event of its own, with the request that it came from', async () => {
  const answers = await together(20, (n) => ask(pick(clients, n), pick(SCOPES, n)));
  const ids = answers.map(({ headers }) => headers.get('x-request-id'));
  const { rows } = await keks.database.client.query(
    `SELECT e.request_id, e.actor, e.ip, e.detail, t.scope, g.client_id
       FROM audit_events e JOIN access_tokens t ON t.id = e.token_id JOIN grants g ON g.id = e.grant_id
      WHERE e.type = 'token.issued' AND e.request_id = ANY ($1) AND t.grant_id = g.id`,
    [ids],
  );
  expect(rows).toHaveLength(20);
  for (const [n, id] of ids.entries()) {
    const { clientId } = pick(clients, n);
    expect(rows.find((row) => row.request_id === id)).toEqual({
      request_id: id,
      actor: `client:${clientId}`,
      ip: '127.0.0.1',
      client_id: clientId,
      scope: pick(SCOPES, n),
      detail: {
        scope: pick(SCOPES, n),
        format: n % 4 === 3 ? 'jwt' : 'opaque',
        audience: expect.any(String),
      },
    });
  }
});

it('nobody waits for the row of another client that is being changed; its own requests do', async () => {
  const [busy, ...others] = clients as [TestClient, ...TestClient[]];
  const admin = new Client(connectionOf(keks.database.url));
  await admin.connect();
  try {
    await admin.query('BEGIN');
    await admin.query('SELECT 1 FROM clients WHERE client_id = $1 FOR NO KEY UPDATE', [busy.clientId]);
    let over = false;
    const waiting = ask(busy).finally(() => (over = true));
    const answers = await together(30, (n) => ask(pick(others, n)));
    expect(tally(answers)).toEqual({ 200: 30 });
    expect(over).toBe(false);
    await admin.query('COMMIT');
    expect(await isAlive(keks, issued(await waiting).access_token)).toBe(true);
  } finally {
    await admin.end();
  }
});

it('a client that was disabled while it waited gets no token, and the others do', async () => {
  const [, unlucky, ...others] = clients as [TestClient, TestClient, ...TestClient[]];
  const admin = new Client(connectionOf(keks.database.url));
  await admin.connect();
  try {
    await admin.query('BEGIN');
    await admin.query('UPDATE clients SET disabled_at = now() WHERE client_id = $1', [unlucky.clientId]);
    const waiting = together(5, () => ask(unlucky));
    const answers = await together(10, (n) => ask(pick(others, n)));
    await admin.query('COMMIT');
    expect(tally(answers)).toEqual({ 200: 10 });
    for (const { status } of await waiting) expect([401, 503]).toContain(status);
    expect((await ask(unlucky)).status).toBe(401);
  } finally {
    await admin.end();
  }
});

describe('refreshes', () => {
  const ROTATE = 'rotate_refresh_tokens';
  const login = (options: Parameters<typeof stayLoggedIn>[2] = {}) => stayLoggedIn(keks, 'Ann', options);

  /** As they come in one turn of the event loop. */
  const refreshTogether = (tokens: readonly string[], more: { scope?: string; resource?: string } = {}) => {
    const requests = keks.app.get(RefreshRequests);
    const asking = { grant_type: 'refresh_token', ...more };
    return Promise.all(
      tokens.map((token) => requests.exchange(undefined, { ...asking, refresh_token: token }, OPERATOR)),
    );
  };

  const detailsOf = async (answers: readonly Answer[]): Promise<Record<string, unknown>[]> => {
    const { rows } = await keks.database.client.query(
      `SELECT e.request_id, e.type, e.ip, e.detail, g.id = u.grant_id AND g.id = n.grant_id AND g.id = t.grant_id AS one,
              n.digest AS next, t.digest AS access
         FROM audit_events e JOIN grants g ON g.id = e.grant_id JOIN access_tokens t ON t.id = e.token_id
         JOIN refresh_tokens u ON u.id = (e.detail->>'refresh_token_id')::uuid
         JOIN refresh_tokens n ON n.id = (e.detail->>'successor_id')::uuid
        WHERE e.request_id = ANY ($1)`,
      [answers.map(({ headers }) => headers.get('x-request-id'))],
    );
    return answers.map(({ headers }) => rows.find((row) => row.request_id === headers.get('x-request-id')));
  };

  const expectDetails = async (answers: readonly Answer[]): Promise<void> => {
    for (const [n, found] of (await detailsOf(answers)).entries()) {
      const { access_token, refresh_token = '', scope } = issued(answers[n] as Answer);
      expect(found).toMatchObject({ type: 'token.refreshed', ip: '127.0.0.1', one: true });
      expect([found?.['access'], found?.['next']]).toEqual([digestOf(access_token), digestOf(refresh_token)]);
      expect(found?.['detail']).toEqual({
        scope,
        expires_at: expect.any(String),
        refresh_token_id: expect.any(String),
        successor_id: expect.any(String),
      });
    }
  };

  it('40 that are asked for in one turn are one statement, and each goes on in its own login', async () => {
    const logins = await together(40, () => login());
    await statements.since();
    const answers = await refreshTogether(logins.map((one) => one.refresh_token));
    expect(await statements.since()).toEqual([ROTATE]);
    const next = answers.map((answer) => answer.refresh?.token ?? '');
    expect(new Set(next).size).toBe(40);
    const { rows } = await keks.database.client.query(
      `SELECT count(*)::int AS lineages FROM unnest($1::bytea[], $2::bytea[]) AS one (before, after)
         JOIN refresh_tokens b ON b.digest = before JOIN refresh_tokens a ON a.digest = after
        WHERE a.grant_id = b.grant_id AND b.used_at IS NOT NULL AND a.used_at IS NULL`,
      [logins.map((one) => digestOf(one.refresh_token)), next.map((token) => digestOf(token))],
    );
    expect(rows).toEqual([{ lineages: 40 }]);
    expect(await isAlive(keks, answers[39]?.token ?? '')).toBe(true);
    await refreshTogether(next);
  });

  it('with less scope, and with its resource, in one statement too', async () => {
    const [one, other] = await together(2, () => login());
    await statements.since();
    const more = { scope: 'cookies:eat', resource: keks.config.AUDIENCE };
    const [narrow] = await refreshTogether([one?.refresh_token ?? ''], more);
    expect(await statements.since()).toEqual([ROTATE]);
    expect(narrow?.scope).toBe('cookies:eat');
    const refused = refreshTogether([other?.refresh_token ?? ''], { scope: 'cookies:eat cookies:steal' });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_scope' });
    const [whole] = await refreshTogether([other?.refresh_token ?? '']);
    expect(whole?.scope).toBe('cookies:eat keks:account');
  });

  it('of JWTs, whose claims have to be known first: two statements', async () => {
    const logins = await together(5, () => login({ format: 'jwt' }));
    await statements.since();
    const answers = await refreshTogether(logins.map((one) => one.refresh_token));
    expect(await statements.since()).toEqual([ROTATE, ROTATE]);
    for (const { token } of answers) expect(token.split('.')).toHaveLength(3);
    expect(await isAlive(keks, answers[4]?.token ?? '')).toBe(true);
  });

  it('each has an audit event of its own, with the request that it came from', async () => {
    const logins = await together(20, () => login());
    await expectDetails(await Promise.all(logins.map((one) => refresh(keks, one.refresh_token))));
  });

  it('one that is dead, unknown or used takes nothing from those beside it', async () => {
    const [ended, used, ...others] = await together(12, () => login());
    await submit(keks.url, '/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: used!.refresh_token,
    });
    await keks.database.client.query(
      `UPDATE grants SET revoked_at = now() WHERE id = (SELECT grant_id FROM refresh_tokens WHERE digest = $1)`,
      [digestOf(ended!.refresh_token)],
    );
    const tokens = [ended, used, ...others].map((one) => one!.refresh_token);
    const [first, again, ...rest] = await Promise.all(tokens.map((token) => refresh(keks, token)));
    expect(first).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(again?.status).toBe(200);
    expect(tally(rest)).toEqual({ 200: 10 });
  });

  it('nobody waits for another token that is being used up; who has that one does', async () => {
    const [busy, ...others] = await together(10, () => login());
    const holder = new Client(connectionOf(keks.database.url));
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM refresh_tokens WHERE digest = $1 FOR UPDATE', [
        digestOf(busy!.refresh_token),
      ]);
      let over = false;
      const waiting = refresh(keks, busy!.refresh_token).finally(() => (over = true));
      const answers = await Promise.all(others.map((one) => refresh(keks, one.refresh_token)));
      expect(tally(answers)).toEqual({ 200: 9 });
      await untilWaiting(keks.database);
      expect(over).toBe(false);
      await holder.query('COMMIT');
      const late = await waiting;
      const { access_token: token }: Issued = issued(late);
      expect(await isAlive(keks, token)).toBe(true);
      await expectDetails([late]);
    } finally {
      await holder.end();
    }
  });
});
