import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIST_AUDIT_OF_PERSON, searchAuditEvents } from '../../src/auth/audit/audit.sql.js';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { NEWEST } from '../../src/auth/lists/cursors.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import type { Statement } from '../../src/database/statement.js';
import { cancelled } from '../support/locks.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';
import { expectError, pages, send, type Page } from '../support/wire.js';

interface Event {
  readonly id: string;
  readonly created_at: string;
  readonly type: string;
  readonly actor: string | null;
  readonly grant_id: string | null;
  readonly token_id: string | null;
  readonly ip: string | null;
  readonly request_id: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

const WRONG_PASSWORD = 'a green kettle forgets eleven loud geese';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let keks: TestApp;
let admin: string;
let people = 0;
/** Everything secret that these tests have seen. */
const secrets: string[] = [PASSWORD];

const somebody = async (scope = 'cookies:eat'): Promise<string> => {
  const name = `Somebody ${(people += 1)}`;
  await keks.addUser(name, scope);
  return name;
};
const issue = (user: string, password = PASSWORD, more: object = {}): Promise<Answer> =>
  post(keks.url, '/issue', { user, password, ...more });
const read = async (query: string): Promise<Event[]> => {
  const answer = await get(keks.url, `/admin/audit?limit=100&${query}`, admin);
  expect(answer.status).toBe(200);
  return (answer.body as Page<Event>).items;
};
const form = (path: string, fields: Record<string, string>): Promise<Answer> =>
  request(keks.url, path, { method: 'POST', body: new URLSearchParams(fields) });
const refresh = (token: string): Promise<Answer> =>
  form('/oauth/token', { grant_type: 'refresh_token', refresh_token: token });
const typesOf = (events: readonly Event[]): string[] => events.map((event) => event.type);

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Boss', 'keks:admin');
  admin = await keks.login('Boss');
  secrets.push(admin);
});

afterAll(() => keks.close());

describe('GET /admin/audit?since=&until=', () => {
  it('tells what happened between, whatever else it is filtered by and however it is paged', async () => {
    const name = await somebody();
    const times: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      keks.clock.advance(10);
      await issue(name, WRONG_PASSWORD);
      const [newest] = await read(`user=${encodeURIComponent(name)}`);
      times.push(newest?.created_at ?? '');
    }
    const [, second = '', , fourth = ''] = times;
    const between = `since=${second}&until=${fourth}`;
    for (const filter of ['', `&user=${encodeURIComponent(name)}`, '&type=login.refused']) {
      const found = (await read(between + filter)).map((one) => one.created_at);
      expect(found, filter).toEqual(times.slice(1, 4).toReversed());
      const query = `/admin/audit?limit=1&${between}${filter}`;
      const paged = (await pages<Event>(keks.url, query, admin)).flat();
      expect(
        paged.map((one) => one.created_at),
        filter,
      ).toEqual(found);
    }
    expect((await read(`since=${fourth}`)).map((one) => one.created_at)).toEqual(times.slice(3).toReversed());
    // the same moments, written in another zone
    const there = new Date(Date.parse(fourth) + 3_600_000).toISOString().replace('Z', '+01:00');
    const [first] = await read(`until=${encodeURIComponent(there)}`);
    expect(first?.created_at).toBe(fourth);
  });

  it.each([
    '',
    'yesterday',
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-13-31T12:00:00Z',
    '0000-01-01T00:00:00Z',
  ])('400 for %j', async (text) => {
    for (const parameter of ['since', 'until'])
      expectError(await get(keks.url, `/admin/audit?${parameter}=${text}`, admin), 400, 'invalid_request');
  });

  it('400 for a cursor of other times', async () => {
    const since = '2020-01-01T00:00:00Z';
    const { next } = (await get(keks.url, `/admin/audit?limit=1&since=${since}`, admin)).body as Page<Event>;
    expectError(await get(keks.url, `/admin/audit?limit=1&cursor=${next}`, admin), 400, 'invalid_request');
  });
});

describe('what is written', () => {
  it('a login: who, from where, which token and why, under the request id of the answer', async () => {
    const name = await somebody();
    const answer = await issue(name);
    const { token } = answer.body as { token: string };
    secrets.push(token);
    expect(await read(`user=${name}&type=token.issued`)).toEqual([
      {
        id: expect.stringMatching(UUID),
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        type: 'token.issued',
        actor: `user:${name}`,
        grant_id: expect.stringMatching(UUID),
        token_id: expect.stringMatching(UUID),
        ip: '127.0.0.1',
        request_id: answer.headers.get('x-request-id'),
        detail: {
          scope: 'cookies:eat keks:account',
          format: 'opaque',
          expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          refresh_token_id: null,
        },
      },
    ]);
  });

  it('a refused login with its reason, which the wire does not say', async () => {
    const [name, gone] = [await somebody(), await somebody()];
    await keks.app.get(UsersService).setDisabled(gone, true, OPERATOR);
    const attempts = [
      [name, WRONG_PASSWORD, 'wrong_password'],
      [gone, PASSWORD, 'user_disabled'],
      ['Nobody at all', PASSWORD, 'unknown_user'],
    ] as const;
    secrets.push(WRONG_PASSWORD);
    const bodies = new Set<string>();
    for (const [user, password, reason] of attempts) {
      const answer = await issue(user, password);
      expectError(answer, 401, 'invalid_credentials');
      bodies.add(JSON.stringify(answer.body));
      const { rows } = await keks.database.client.query(
        `SELECT type, actor, grant_id, token_id, ip, request_id, detail FROM audit_events WHERE request_id = $1`,
        [answer.headers.get('x-request-id')],
      );
      expect(rows).toEqual([
        expect.objectContaining({
          type: 'login.refused',
          actor: null,
          grant_id: null,
          token_id: null,
          ip: '127.0.0.1',
          request_id: answer.headers.get('x-request-id'),
          detail: { user: reason === 'unknown_user' ? null : user, reason },
        }),
      ]);
    }
    expect(bodies.size).toBe(1);
  });

  it('a name that nobody has is not kept: it may be a password in the wrong field', async () => {
    const answer = await issue(WRONG_PASSWORD);
    expectError(answer, 401, 'invalid_credentials');
    const { rows } = await keks.database.client.query(
      `SELECT detail FROM audit_events WHERE request_id = $1`,
      [answer.headers.get('x-request-id')],
    );
    expect(rows).toEqual([{ detail: { user: null, reason: 'unknown_user' } }]);
  });

  it('refreshing, the replay of a used refresh token, and who presented it', async () => {
    const name = await somebody();
    const first = (await issue(name, PASSWORD, { scope: 'offline_access' })).body as Record<string, string>;
    const next = (await refresh(first['refresh_token'] ?? '')).body as Record<string, string>;
    secrets.push(
      ...[first, next]
        .flatMap((one) => [one['token'], one['access_token'], one['refresh_token']])
        .filter((one) => one !== undefined),
    );
    keks.clock.advance(keks.config.REFRESH_GRACE_PERIOD + 1);
    const replay = await refresh(first['refresh_token'] ?? '');
    expectError(replay, 400, 'invalid_grant');
    const [issued] = await read(`user=${name}&type=token.issued`);
    const events = await read(`grant_id=${issued?.grant_id}`);
    expect(typesOf(events)).toEqual(['refresh.replayed', 'token.refreshed', 'token.issued']);
    expect(events[0]).toMatchObject({
      actor: 'holder',
      ip: '127.0.0.1',
      request_id: replay.headers.get('x-request-id'),
      token_id: issued?.detail['refresh_token_id'],
      detail: { grant_killed_now: true },
    });
  });

  it('a revocation by the holder, once, however often it is asked for', async () => {
    const name = await somebody();
    const { token } = (await issue(name)).body as { token: string };
    secrets.push(token);
    for (let at = 0; at < 3; at += 1) await post(keks.url, '/revoke', { token });
    const [issued] = await read(`user=${name}&type=token.issued`);
    const events = await read(`token_id=${issued?.token_id}`);
    expect(typesOf(events)).toEqual(['token.revoked', 'token.issued']);
    expect(events[0]).toMatchObject({ actor: 'holder', ip: '127.0.0.1', grant_id: issued?.grant_id });
  });

  it('the life of an API key, from one person to another', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const { id, key } = (await send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD }))
      .body as {
      id: string;
      key: string;
    };
    secrets.push(token, key);
    await send(keks.url, 'DELETE', `/admin/grants/${id}`, admin);
    expect((await read(`grant_id=${id}`)).map(({ type, actor }) => [type, actor])).toEqual([
      ['grant.revoked', 'user:Boss'],
      ['api_key.issued', `user:${name}`],
    ]);
  });

  it('what a client does and what is done to it', async () => {
    const clients = keks.app.get(ClientsService);
    const added = await clients.add(
      { name: 'Oven', scope: ['cookies:bake'], audience: [], resources: [], tokenFormat: 'opaque' },
      { actor: 'operator', origin: OPERATOR },
    );
    const { clientId, clientSecret } = added;
    const { access_token: token } = (
      await form('/oauth/token', {
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      })
    ).body as { access_token: string };
    secrets.push(clientSecret, token);
    keks.clock.advance(1);
    await clients.change(clientId, { disabled: true }, { actor: 'operator', origin: OPERATOR });
    const events = await read(`client_id=${clientId}`);
    expect(typesOf(events)).toEqual(['client.disabled', 'token.issued', 'client.added']);
    expect(events.map((event) => event.actor)).toEqual(['operator', `client:${clientId}`, 'operator']);
    const life = await read(`grant_id=${events[1]?.grant_id}`);
    expect(life.map(({ type, detail }) => [type, detail['reason']])).toEqual([
      ['grant.revoked', 'client_disabled'],
      ['token.issued', undefined],
    ]);
  });

  it('in the same transaction: what cannot be written down does not happen, and is 503', async () => {
    const name = await somebody();
    const token = await keks.login(name);
    const { client } = keks.database;
    await client.query('BEGIN');
    await client.query('LOCK TABLE audit_events IN EXCLUSIVE MODE');
    const answers = await cancelled(
      keks.database,
      Promise.all([
        issue(name),
        issue(name, WRONG_PASSWORD),
        post(keks.url, '/revoke', { token }),
        send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD }),
        send(keks.url, 'DELETE', '/sessions', token),
      ]),
    );
    await client.query('ROLLBACK');
    for (const answer of answers) expectError(answer, 503, 'temporarily_unavailable');
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    const { rows } = await client.query(
      'SELECT g.kind FROM grants g JOIN users u ON u.id = g.user_id WHERE u.name = $1',
      [name],
    );
    expect(rows).toEqual([{ kind: 'login' }]);
  });

  it('never a token, a key or a password', async () => {
    const { rows } = await keks.database.client.query<{ line: string }>(
      'SELECT e::text AS line FROM audit_events e',
    );
    const text = rows.map((row) => row.line).join('\n');
    expect(secrets.length).toBeGreaterThan(10);
    for (const secret of secrets) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(secret.slice(8, 40));
    }
  });
});

describe('GET /admin/audit', () => {
  it('200: newest first, page by page, each once, whatever happens meanwhile', async () => {
    const name = await somebody();
    for (let at = 0; at < 7; at += 1) {
      await issue(name);
      keks.clock.advance(1);
    }
    const found = await pages<Event>(keks.url, `/admin/audit?user=${name}&limit=3`, admin, () => issue(name));
    expect(found.map((page) => page.length)).toEqual([3, 3, 2]);
    const events = found.flat();
    expect(new Set(events.map((event) => event.id)).size).toBe(8);
    const times = events.map((event) => event.created_at);
    expect(times).toEqual([...times].sort().toReversed());
    expect(typesOf(events).at(-1)).toBe('user.added');
  });

  it('?type= &actor= &user= &client_id= &grant_id= &token_id=, all at once too', async () => {
    const name = await somebody();
    await issue(name);
    await issue(name, WRONG_PASSWORD);
    const [issued] = await read(`actor=user:${name}`);
    expect(typesOf(await read(`actor=user:${name}`))).toEqual(['token.issued']);
    expect(typesOf(await read(`user=${name}`)).sort()).toEqual([
      'login.refused',
      'token.issued',
      'user.added',
    ]);
    const all = `type=token.issued&actor=user:${name}&user=${name}&grant_id=${issued?.grant_id}`;
    expect(await read(`${all}&token_id=${issued?.token_id}`)).toEqual([issued]);
    expect(await read(`${all}&client_id=c-none`)).toEqual([]);
    expect(await read('type=no.such')).toEqual([]);
  });

  it('filters are values and nothing else', async () => {
    for (const text of ["' OR true --", '%', '_', '$1', '*', '{"$ne":1}'])
      for (const filter of ['type', 'actor', 'user', 'client_id'])
        expect(await read(`${filter}=${encodeURIComponent(text)}`)).toEqual([]);
  });

  it.each([
    'type=',
    'type=%00',
    'actor=%0A',
    `user=${'x'.repeat(257)}`,
    'type=a&type=b',
    'grant_id=x',
    'grant_id=',
    'token_id=%00',
    'limit=101',
    'cursor=x',
  ])('400: ?%s', async (query) => {
    expectError(await get(keks.url, `/admin/audit?${query}`, admin), 400, 'invalid_request');
  });

  it('400: a cursor of other filters', async () => {
    const { next } = (await get(keks.url, '/admin/audit?limit=1', admin)).body as Page<Event>;
    expect((await get(keks.url, `/admin/audit?cursor=${next}`, admin)).status).toBe(200);
    expectError(await get(keks.url, `/admin/audit?type=x&cursor=${next}`, admin), 400, 'invalid_request');
    expectError(
      await get(keks.url, `/keys?cursor=${next}`, await keks.login(await somebody())),
      400,
      'invalid_request',
    );
  });

  it('of one user: read from the indexes alone, whatever else is in the log', async () => {
    const name = await somebody();
    const { client } = keks.database;
    await client.query(
      `INSERT INTO audit_events (created_at, actor, type, detail)
       SELECT now() - n * interval '1 second',
              CASE WHEN n % 30 = 0 THEN 'user:' || $1 WHEN n % 70 = 0 THEN 'operator' ELSE 'user:Other ' || n % 50 END,
              'noise.' || n % 2,
              CASE WHEN n % 70 = 0 THEN jsonb_build_object('user', $1::text) ELSE '{}' END
         FROM generate_series(1, 20000) AS n`,
      [name],
    );
    await client.query('ANALYZE audit_events');
    const planOf = async (statement: Statement, values: unknown[]): Promise<string> => {
      const { rows } = await client.query<Record<string, string>>(`EXPLAIN ${statement.text}`, values);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const asked = [LIST_AUDIT_OF_PERSON, searchAuditEvents(['type', 'user'])] as const;
    const plans = [
      await planOf(asked[0], [...NEWEST, 100, name]),
      await planOf(asked[1], [...NEWEST, 100, 20_000, 'noise.0', name]),
    ];
    for (const plan of plans) {
      expect(plan).not.toMatch(/Seq Scan on audit_events_\d+ .*rows=\d{4}/);
      // copies of the two indexes: PostgreSQL names them after table and columns
      expect(plan).toMatch(/Scan.* (?:using|on) audit_events_\d+_actor_created_at_id_idx/);
      expect(plan).toMatch(/Scan.* (?:using|on) audit_events_\d+_expr_created_at_id_idx/);
    }
    const found = (await pages<Event>(keks.url, `/admin/audit?user=${name}&limit=100`, admin)).flat();
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    // with that of the adding
    expect(found).toHaveLength(666 + 285 - 95 + 1);
    const times = found.map((event) => event.created_at);
    expect(times).toEqual([...times].sort().toReversed());
    const even = (
      await pages<Event>(keks.url, `/admin/audit?user=${name}&type=noise.0&limit=100`, admin)
    ).flat();
    expect(even).toEqual(found.filter(({ type }) => type === 'noise.0'));
    await client.query(`DELETE FROM audit_events WHERE type LIKE 'noise.%'`);
  });

  it('finds the rare ones among 50,000 others: no page looks at more than 20,000, none is skipped or shown twice', async () => {
    await keks.database.client.query(
      `INSERT INTO audit_events (created_at, actor, type, detail)
       SELECT now() - n * interval '1 second', 'operator',
              CASE WHEN n = 49999 THEN 'rare.one' WHEN n % 100 = 0 THEN 'sparse.one' ELSE 'common.one' END, '{}'
         FROM generate_series(1, 50000) AS n`,
    );
    const rare = await pages<Event>(keks.url, '/admin/audit?type=rare.one', admin);
    expect(rare.map((page) => page.length)).toEqual([0, 0, 1]);
    const sparse = (await pages<Event>(keks.url, '/admin/audit?type=sparse.one&limit=70', admin)).flat();
    expect(sparse).toHaveLength(500);
    expect(new Set(sparse.map((event) => event.id)).size).toBe(500);
  });
});
