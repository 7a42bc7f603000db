import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { MovedRows1796000000000 } from '../../migrations/1796000000000-moved-rows.js';
import type { TestDatabase } from '../support/database.js';
import { expiryOf, holding, putAstray, spanOf, type Parent, type Span } from '../support/moving-rows.js';
import { addClient, basic, submit, type TestClient } from '../support/oauth.js';
import { get, PASSWORD, post, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

const AT_ONCE = 6;

/** As it was before a migration: what the version before made of the database, or somebody with psql. */
async function stepBack({ client }: TestDatabase, migration: MigrationInterface): Promise<void> {
  await client.query('BEGIN');
  await migration.down({ query: (text: string) => client.query(text) } as unknown as QueryRunner);
  await client.query('COMMIT');
}

describe.each([
  ['under a lock of the parent', false],
  ['under a lock of the default partition only, as before', true],
])('rows that move from a default partition into one of their own, %s', (_, before) => {
  let keks: TestApp;
  let client: TestClient;
  let admin: string;

  beforeAll(async () => {
    keks = await startTestApp({ REFRESH_GRACE_PERIOD: '60s' });
    await keks.addUser('Ann');
    await keks.addUser('Root', 'keks:admin');
    client = await addClient(keks, { audience: [keks.config.AUDIENCE] });
    admin = await keks.login('Root');
    if (before) await stepBack(keks.database, new MovedRows1796000000000());
  });

  afterAll(() => keks.close());

  /** Each connection of either pool has prepared its statements, and planned them for the partitions as they were. */
  beforeEach(async () => {
    const tokens = await Promise.all(Array.from({ length: 12 }, () => login()));
    await all(tokens, ({ token }) => validate(token));
    await all(tokens, ({ token }) => post(keks.url, '/revoke', { token }));
    await all(tokens, ({ refresh }) => post(keks.url, '/revoke', { token: refresh }));
  });

  interface Login {
    readonly token: string;
    readonly refresh: string;
  }

  async function login(): Promise<Login> {
    const body = { user: 'Ann', password: PASSWORD, scope: 'cookies:eat offline_access' };
    const { body: answer } = await post(keks.url, '/issue', body);
    const { token, refresh_token: refresh } = answer as { token: string; refresh_token: string };
    return { token, refresh };
  }

  const logins = (): Promise<Login[]> => Promise.all(Array.from({ length: AT_ONCE }, login));

  const validate = (token: string): Promise<Answer> => post(keks.url, '/validate', { token });

  const refreshing = (refresh: string): Promise<Answer> =>
    submit(keks.url, '/oauth/token', { grant_type: 'refresh_token', refresh_token: refresh });

  /** All of them while the rows move. */
  async function whileMoving<T>(parent: Parent, span: Span, work: () => Promise<T>): Promise<T> {
    await putAstray(keks.database.client, parent, span);
    return holding(keks.database.url, parent, span, work);
  }

  const ofTokens = async <T>(made: readonly Login[], work: () => Promise<T>): Promise<T> =>
    whileMoving('access_tokens', spanOf('access_tokens', expiryOf(made[0]?.token ?? '')), work);

  const ofRefreshTokens = async <T>(made: readonly Login[], work: () => Promise<T>): Promise<T> =>
    whileMoving('refresh_tokens', spanOf('refresh_tokens', expiryOf(made[0]?.refresh ?? '')), work);

  const ofEvents = async <T>(work: () => Promise<T>): Promise<T> =>
    whileMoving('audit_events', spanOf('audit_events', Date.now()), work);

  const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status);
  const each = (status: number): number[] => Array.from({ length: AT_ONCE }, () => status);

  it('POST /revoke: what was answered 200 is dead', async () => {
    const made = await logins();
    const revoked = await ofTokens(made, () =>
      all(made, ({ token }) => post(keks.url, '/revoke', { token })),
    );
    expect(statuses(revoked)).toEqual(each(200));
    expect(statuses(await all(made, ({ token }) => validate(token)))).toEqual(each(401));
  });

  it('POST /revoke of a refresh token: its login is dead', async () => {
    const made = await logins();
    const revoked = await ofRefreshTokens(made, () =>
      all(made, ({ refresh }) => post(keks.url, '/revoke', { token: refresh })),
    );
    expect(statuses(revoked)).toEqual(each(200));
    expect(statuses(await all(made, ({ token }) => validate(token)))).toEqual(each(401));
  });

  it('POST /oauth/revoke by the client that it was issued to', async () => {
    const tokens = await Promise.all(Array.from({ length: AT_ONCE }, () => clientToken()));
    const made = tokens.map((token) => ({ token, refresh: '' }));
    const revoked = await ofTokens(made, () =>
      all(tokens, (token) => submit(keks.url, '/oauth/revoke', { token }, basic(client))),
    );
    expect(statuses(revoked)).toEqual(each(200));
    expect(statuses(await all(tokens, validate))).toEqual(each(401));
  });

  it('POST /validate, GET /cookies and introspection: what lives is alive', async () => {
    const made = await logins();
    const answers = await ofTokens(made, () =>
      Promise.all([
        all(made, ({ token }) => validate(token)),
        all(made, ({ token }) => get(keks.url, '/cookies', token)),
        all(made, ({ token }) => submit(keks.url, '/oauth/introspect', { token }, basic(client))),
      ]),
    );
    expect(answers.map(statuses)).toEqual([each(200), each(200), each(200)]);
    expect(answers[2].map(({ body }) => (body as { active: boolean }).active)).toEqual(
      each(200).map(() => true),
    );
  });

  it('a refresh: the token is good, and nobody is taken for a thief', async () => {
    const made = await logins();
    const first = await ofRefreshTokens(made, () => all(made, ({ refresh }) => refreshing(refresh)));
    expect(statuses(first)).toEqual(each(200));
    const again = await ofRefreshTokens(made, () => all(made, ({ refresh }) => refreshing(refresh)));
    expect(statuses(again)).toEqual(each(200));
    const successors = (answers: readonly Answer[]): unknown[] =>
      answers.map(({ body }) => (body as { refresh_token: string }).refresh_token);
    expect(successors(again)).toEqual(successors(first));
    expect(statuses(await all(made, ({ token }) => validate(token)))).toEqual(each(200));
  });

  it('a refresh token that was stolen takes its login along', async () => {
    const made = await logins();
    const once = await all(made, ({ refresh }) => refreshing(refresh));
    await all(once, ({ body }) => refreshing((body as { refresh_token: string }).refresh_token));
    const stolen = await ofRefreshTokens(made, () => all(made, ({ refresh }) => refreshing(refresh)));
    expect(statuses(stolen)).toEqual(each(400));
    expect(statuses(await all(made, ({ token }) => validate(token)))).toEqual(each(401));
  });

  it('a login and client_credentials get their tokens', async () => {
    const made = await logins();
    const [people, clients] = await ofTokens(made, () =>
      Promise.all([logins(), Promise.all(Array.from({ length: AT_ONCE }, () => clientToken()))]),
    );
    const tokens = [...people.map(({ token }) => token), ...clients];
    expect(statuses(await all(tokens, validate))).toEqual([...each(200), ...each(200)]);
  });

  // a list is right by the lock alone: nobody can see of it that something is missing
  it.runIf(!before)('what is written down about it is written down, and found', async () => {
    const made = await logins();
    const found = await ofEvents(async () => {
      const answers = await Promise.all([
        all(made, ({ token }) => post(keks.url, '/admin/tokens/story', { token }, bearer(admin))),
        all(made, () => get(keks.url, '/admin/audit?type=token.issued&limit=1', admin)),
        all(made, ({ token }) => post(keks.url, '/revoke', { token })),
        all(made, () => post(keks.url, '/issue', { user: 'Ann', password: PASSWORD })),
      ]);
      return answers;
    });
    expect(found.map(statuses)).toEqual([each(200), each(200), each(200), each(200)]);
    for (const { body } of found[0])
      expect((body as { events: { what: string }[] }).events.map(({ what }) => what)).toContain(
        'token.issued',
      );
    for (const { body } of found[1]) expect((body as { items: unknown[] }).items).toHaveLength(1);
  });

  async function clientToken(): Promise<string> {
    const answer = await submit(
      keks.url,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      basic(client),
    );
    if (answer.status !== 200) throw new Error(`client_credentials: ${answer.status}`);
    return (answer.body as { access_token: string }).access_token;
  }
});

function all<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  return Promise.all(list.map((one) => work(one)));
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
