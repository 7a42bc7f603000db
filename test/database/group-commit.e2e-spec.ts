import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from 'pg';
import { ClientAuthentication } from '../../src/auth/clients/client-authentication.js';
import { ClientCredentialsGrant } from '../../src/auth/oauth/client-credentials-grant.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { connectionOf } from '../../src/database/pools.js';
import { addClient, basic, isAlive, issued, submit, type TestClient } from '../support/oauth.js';
import { logStatements, type StatementLog } from '../support/statement-log.js';
import { startTestApp, type Answer, type TestApp } from '../support/test-app.js';
import { tally } from '../support/wire.js';

/** Tokens of clients that are asked for together are one transaction, and each is answered after it. */
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
