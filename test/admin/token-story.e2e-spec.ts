import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestoredBackup } from '../../src/auth/grants/restored-backup.js';
import { FIND_BY_ID } from '../../src/auth/story/token-story.sql.js';
import { LastUse } from '../../src/auth/grants/last-use.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { only } from '../support/keks.js';
import { keksHere as cli } from '../support/keks-here.js';
import { addClient, basic, clientToken, submit } from '../support/oauth.js';
import {
  environment,
  get,
  PASSWORD,
  post,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import { expectError, send } from '../support/wire.js';

interface Event {
  readonly at: string;
  readonly what: string;
  readonly by: string | null;
  readonly ip: string | null;
  readonly token_id: string | null;
  readonly refresh_token_id: string | null;
  readonly from_id: string | null;
  readonly expires_at: string | null;
  readonly reason: string | null;
}

interface Story {
  readonly token?: {
    readonly id: string;
    readonly kind: string | null;
    readonly expires_at: string | null;
    readonly refused_because: string[] | null;
  };
  readonly grant?: {
    readonly id: string;
    readonly kind: string;
    readonly username: string | null;
    readonly client_id: string | null;
    readonly user_agent: string | null;
    readonly last_used_at: string | null;
    readonly revoked_reason: string | null;
  };
  readonly events: Event[];
  readonly complete: boolean;
}

let keks: TestApp;
let admin: string;
let people = 0;
/** Every token that these tests have seen: none of them may come back. */
const tokens: string[] = [];
const told: string[] = [];

const ask = (body: object, token = admin): Promise<Answer> =>
  post(keks.url, '/admin/tokens/story', body, { authorization: `Bearer ${token}` });

async function story(body: object): Promise<Story> {
  const answer = await ask(body);
  expect(answer.status).toBe(200);
  told.push(JSON.stringify(answer.body));
  return answer.body as Story;
}

const linesOf = ({ events }: Story): [string, string | null, string | null][] =>
  events.map(({ what, by, reason }) => [what, by, reason]);

interface Login {
  readonly name: string;
  readonly token: string;
  readonly refresh: string;
}

async function login(more: object = {}): Promise<Login> {
  const name = `Somebody ${(people += 1)}`;
  await keks.addUser(name);
  const { body } = await post(
    keks.url,
    '/issue',
    { user: name, password: PASSWORD, scope: 'cookies:eat keks:account offline_access', ...more },
    { 'user-agent': 'oven/1.0' },
  );
  const { token, refresh_token: refresh } = body as { token: string; refresh_token: string };
  tokens.push(token, refresh);
  return { name, token, refresh };
}

async function refreshed(refresh: string): Promise<Login> {
  const { status, body } = await submit(keks.url, '/oauth/token', {
    grant_type: 'refresh_token',
    refresh_token: refresh,
  });
  expect(status).toBe(200);
  const next = body as { access_token: string; refresh_token: string };
  tokens.push(next.access_token, next.refresh_token);
  keks.clock.advance(1);
  return { name: '', token: next.access_token, refresh: next.refresh_token };
}

const refused = async (refresh: string, headers = {}): Promise<void> =>
  expectError(
    await submit(keks.url, '/oauth/token', { grant_type: 'refresh_token', refresh_token: refresh }, headers),
    400,
    'invalid_grant',
  );

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
});

afterAll(() => keks.close());

describe('POST /admin/tokens/story', () => {
  it('a login: issued by whom and from where, refreshed into what, last used, revoked by the holder', async () => {
    const first = await login();
    keks.clock.advance(1);
    const second = await refreshed(first.refresh);
    expect((await get(keks.url, '/cookies', second.token)).status).toBe(200);
    await keks.app.get(LastUse).flush();
    keks.clock.advance(1);
    const alive = await story({ token: second.token });
    expect(alive.token).toMatchObject({ kind: 'access', refused_because: [] });
    await post(keks.url, '/revoke', { token: second.token });

    const whole = await story({ token: second.token });
    expect(linesOf(whole)).toEqual([
      ['token.issued', `user:${first.name}`, null],
      ['token.refreshed', 'holder', null],
      ['grant.last_used', null, null],
      ['token.revoked', 'holder', null],
    ]);
    const [issued, refresh, used, revoked] = whole.events as [Event, Event, Event, Event];
    expect(whole.grant).toMatchObject({ kind: 'login', username: first.name, user_agent: 'oven/1.0' });
    expect(used.at).toBe(whole.grant?.last_used_at);
    expect(issued.ip).toBe('127.0.0.1');
    expect(refresh.from_id).toBe(issued.refresh_token_id);
    expect(revoked.token_id).toBe(refresh.token_id);
    expect(whole.token).toEqual({
      id: refresh.token_id,
      kind: 'access',
      expires_at: refresh.expires_at,
      refused_because: ['revoked'],
    });
    expect(whole.complete).toBe(true);
    const times = whole.events.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.toSorted((one, other) => one - other));

    // the same by any of its ids, whether or not somebody has used it
    for (const [id, kind] of [
      [refresh.token_id, 'access'],
      [issued.refresh_token_id, 'refresh'],
      [refresh.refresh_token_id, 'refresh'],
    ] as const) {
      const again = await story({ id: id?.toUpperCase() });
      expect(again.token).toMatchObject({ id, kind, refused_because: null });
      expect(again.events).toEqual(whole.events);
    }
    expect(await story({ id: whole.grant?.id })).toEqual({ ...whole, token: undefined });
  });

  it('theft: a used refresh token comes back, and all of it dies', async () => {
    const first = await login();
    const second = await refreshed(first.refresh);
    keks.clock.advance(keks.config.REFRESH_GRACE_PERIOD + 1);
    await refused(first.refresh);
    keks.clock.advance(1);
    await refused(second.refresh);
    const whole = await story({ token: second.refresh });
    expect(linesOf(whole)).toEqual([
      ['token.issued', `user:${first.name}`, null],
      ['token.refreshed', 'holder', null],
      ['refresh.replayed', 'holder', 'refresh_token_replayed'],
      ['token.refused', null, 'invalid_grant'],
    ]);
    expect(whole.token).toMatchObject({ kind: 'refresh', refused_because: ['grant_revoked'] });
    expect(whole.events[2]?.token_id).toBe(whole.events[0]?.refresh_token_id);
    expect(whole.events[3]?.token_id).toBe(whole.token?.id);
    expect((await story({ token: first.refresh })).token?.refused_because).toEqual(['used', 'grant_revoked']);
  });

  it('a retry, and a client that presents what is not its own', async () => {
    const first = await login();
    await refreshed(first.refresh);
    const again = await refreshed(first.refresh);
    const client = await addClient(keks);
    await refused(again.refresh, basic(client));
    expect(linesOf(await story({ token: again.token }))).toEqual([
      ['token.issued', `user:${first.name}`, null],
      ['token.refreshed', 'holder', null],
      ['token.refreshed_again', 'holder', null],
      ['token.refused', `client:${client.clientId}`, 'invalid_grant'],
    ]);
  });

  it('ended: by its user, by an admin, on the command line, and by all being revoked', async () => {
    const byUser = await login();
    const byAdmin = await login();
    const byOperator = await login();
    const byAll = await login();
    keks.clock.advance(1);
    await send(keks.url, 'DELETE', '/sessions', byUser.token);
    const { grant } = await story({ token: byAdmin.token });
    await send(keks.url, 'DELETE', `/admin/grants/${grant?.id}`, admin);
    const run = await cli(environment(keks.database.url), ['token', 'revoke', '--json'], {
      input: byOperator.refresh,
    });
    expect([run.code, only(run.stdout)]).toMatchObject([0, { revoked: true, kind: 'refresh' }]);
    const ends = await Promise.all(
      [byUser, byAdmin, byOperator].map(async ({ token }) =>
        // a process of its own has a clock of its own, behind the one that is turned here
        linesOf(await story({ token })).find(([what]) => what === 'grant.revoked'),
      ),
    );
    expect(ends).toEqual([
      ['grant.revoked', `user:${byUser.name}`, 'sessions_revoked'],
      ['grant.revoked', 'user:Boss', 'revoked_by_operator'],
      ['grant.revoked', 'operator', 'refresh_token_revoked'],
    ]);
    await keks.app.get(RestoredBackup).revokeAll(new Date(keks.clock.now()), () => undefined);
    keks.clock.advance(1);
    admin = await keks.login('Boss');
    expect(linesOf(await story({ token: byAll.token })).at(-1)).toEqual([
      'grant.revoked',
      'operator',
      'revoked_all',
    ]);
  });

  it('expired: a JWT too, and a grant that was removed, by its id', async () => {
    const { name, token } = await login({ format: 'jwt', scope: 'cookies:eat' });
    keks.clock.advance(keks.config.ACCESS_TOKEN_TTL);
    admin = await keks.login('Boss');
    const over = await story({ token });
    expect(linesOf(over)).toEqual([
      ['token.issued', `user:${name}`, null],
      ['token.expired', null, null],
      ['grant.expired', null, null],
    ]);
    expect(over.token?.refused_because).toEqual(['expired']);
    keks.clock.advance(9 * 86_400);
    await keks.app.get(Maintenance).run();
    admin = await keks.login('Boss');
    const removed = await story({ id: over.token?.id });
    expect(removed.grant).toBeUndefined();
    expect(linesOf(removed)).toEqual([
      ['token.issued', `user:${name}`, null],
      ['token.expired', null, null],
    ]);
    expectError(await ask({ token }), 404, 'not_found');
  });

  it('a client: one of its tokens without the others, or the whole grant', async () => {
    const client = await addClient(keks);
    const [one, other] = [await clientToken(keks, client), await clientToken(keks, client)];
    tokens.push(one.access_token, other.access_token);
    await post(keks.url, '/revoke', { token: other.access_token });
    keks.clock.advance(1);
    const only = await story({ token: one.access_token });
    expect(linesOf(only)).toEqual([['token.issued', `client:${client.clientId}`, null]]);
    await send(keks.url, 'PATCH', `/admin/clients/${client.clientId}`, admin, { disabled: true });
    expect(linesOf(await story({ token: one.access_token })).slice(1)).toEqual([
      ['grant.revoked', 'user:Boss', 'client_disabled'],
    ]);
    const whole = await story({ id: only.grant?.id });
    expect(whole.grant).toMatchObject({ kind: 'client', client_id: client.clientId });
    expect(whole.events.map(({ what }) => what)).toEqual([
      'token.issued',
      'token.issued',
      'token.revoked',
      'grant.revoked',
    ]);
    tokens.push(client.clientSecret);
    expectError(await ask({ token: client.clientSecret }), 404, 'not_found');
  });

  it('an API key, by itself, by its id and by that of its grant', async () => {
    const { name, token } = await login();
    const made = await send(keks.url, 'POST', '/keys', token, { label: 'night baker', password: PASSWORD });
    const { id, key } = made.body as { id: string; key: string };
    tokens.push(key);
    keks.clock.advance(1);
    await send(keks.url, 'DELETE', `/keys/${id}`, token);
    const whole = await story({ token: key });
    expect(whole.token).toMatchObject({ kind: 'api_key', refused_because: ['grant_revoked'] });
    expect(whole.grant).toMatchObject({ id, kind: 'api_key', label: 'night baker' });
    expect(linesOf(whole)).toEqual([
      ['api_key.issued', `user:${name}`, null],
      ['grant.revoked', `user:${name}`, 'api_key_revoked'],
    ]);
    expect((await story({ id: whole.token?.id })).token).toMatchObject({
      kind: 'api_key',
      expires_at: whole.token?.expires_at,
    });
    expect((await story({ id })).events).toEqual(whole.events);
  });

  it('a long life: the first event and the last thousand', async () => {
    const { token } = await login();
    const { grant } = await story({ token });
    await keks.database.client.query(
      `INSERT INTO audit_events (created_at, type, actor, grant_id, detail)
       SELECT $2::timestamptz + n * interval '1 ms', 'token.refreshed', 'holder', $1, '{}'
         FROM generate_series(1, 1100) AS n`,
      [grant?.id, new Date(keks.clock.now())],
    );
    const { events, complete } = await story({ token });
    expect([events.length, complete]).toEqual([1_001, false]);
    expect(events[0]?.what).toBe('token.issued');
  });

  it('refuses what is neither a token nor an id, and whoever is no admin', async () => {
    const { token } = await login();
    const id = '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';
    for (const body of [{}, { token, id }, { id: 'x' }, { id: token }, { token: '' }, { token: 7 }])
      expectError(await ask(body), 400, 'invalid_request');
    for (const body of [{ id }, { token: 'kat_x' }, { token: `${token.slice(0, -1)}~` }])
      expectError(await ask(body), 404, 'not_found');
    expectError(await ask({ token }, token), 403, 'insufficient_scope');
  });
});

describe('the look-up of an id', () => {
  interface Plan {
    readonly 'Shared Hit Blocks': number;
    readonly 'Shared Read Blocks': number;
  }

  it('reads a few pages, among many refresh tokens and API keys; and an unknown one is 404', async () => {
    const { client } = keks.database;
    await client.query(
      `WITH many AS (
         INSERT INTO grants (kind, user_id, scope, expires_at)
         SELECT 'api_key', (SELECT id FROM users LIMIT 1), 'a', now() + interval '1 d' FROM generate_series(1, 20000)
         RETURNING id, expires_at
       ), keys AS (
         INSERT INTO api_keys (digest, grant_id, expires_at, audience)
         SELECT sha256(id::text::bytea), id, expires_at, 'b' FROM many
       )
       INSERT INTO refresh_tokens (digest, expires_at, grant_id, scope, audience, format)
       SELECT sha256(('refresh ' || id)::bytea), now() + random() * interval '60 d', id, 'a', 'b', 'opaque' FROM many`,
    );
    await client.query('ANALYZE refresh_tokens, api_keys, grants, audit_events');
    await client.query(`PREPARE story (uuid) AS ${FIND_BY_ID.text}`);
    const unknown = randomUUID();
    for (const mode of ['force_generic_plan', 'force_custom_plan']) {
      await client.query(`SET plan_cache_mode = ${mode}`);
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE story ('${unknown}')`,
      );
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      const blocks = (plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN);
      // the keys alone are some 250, read whole
      expect(blocks).toBeGreaterThan(0);
      expect(blocks).toBeLessThan(100);
    }
    await client.query('DEALLOCATE story; RESET plan_cache_mode');
    expectError(await ask({ id: unknown }), 404, 'not_found');
    const { rows } = await client.query<{ id: string; grant_id: string }>(
      `(SELECT id, grant_id FROM refresh_tokens WHERE audience = 'b' LIMIT 1)
       UNION ALL (SELECT id, grant_id FROM api_keys WHERE audience = 'b' LIMIT 1)`,
    );
    for (const { id, grant_id: grantId } of rows) {
      const { token, grant } = await story({ id });
      expect([token?.id, grant?.id]).toEqual([id, grantId]);
    }
  });
});

describe('keks token story', () => {
  const run = (args: string[], input?: string) =>
    cli(environment(keks.database.url), ['token', 'story', ...args], input === undefined ? {} : { input });

  it('the same, for programs and as a sequence for people', async () => {
    const first = await login();
    const next = await refreshed(first.refresh);
    const whole = await story({ token: next.token });
    const { code, stdout } = await run(['--json', '-'], `${next.token}\n`);
    expect([code, only(stdout)]).toEqual([0, whole]);
    const shown = await run([whole.grant?.id ?? '']);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^grant +login [-0-9a-f]{36}\nof +Somebody \d+\n/);
    expect(shown.stdout).toMatch(/\n20\S+Z +issued +user:Somebody \d+ +127\.0\.0\.1 +[0-9a-f]{8}, refresh /);
    expect(shown.stdout).toMatch(/\n20\S+Z +refreshed +holder +127\.0\.0\.1 +refresh [0-9a-f]{8} -> /);
  });

  it('a token on the command line is not repeated', async () => {
    const { token } = await login();
    const { code, stdout, stderr } = await run([token]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/A token is never an argument/);
  });
});

it('no story shows a token', () => {
  const all = told.join('\n');
  expect(tokens.length).toBeGreaterThan(20);
  for (const token of tokens) expect(all).not.toContain(token);
});
