import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commandLine, keksHere } from '../support/keks-here.js';
import { addClient, type TestClient } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { program } from '../support/program.js';
import { environment, get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';
import { send } from '../support/wire.js';

interface Event {
  readonly type: string;
  readonly actor: string | null;
  readonly grant_id: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface Grant {
  readonly id: string;
  readonly kind: string;
  readonly label: string | null;
}

vi.setConfig({ testTimeout: 60_000 });

let app: TestApp;
let settings: Record<string, string>;
let client: TestClient;

const { run, json, refused } = commandLine(() => settings);
const status = async (token: string): Promise<number> => (await post(app.url, '/validate', { token })).status;

beforeAll(async () => {
  app = await startTestApp();
  settings = environment(app.database.url);
  await app.addUser('Ann');
  await app.addUser('Ben');
  client = await addClient(app);
});

afterAll(() => app.close());

describe('lists of many', () => {
  const MANY = 2_345;

  beforeAll(async () => {
    const { client: database } = app.database;
    await database.query(
      `INSERT INTO users (name, name_folded, password_hash, scope)
       SELECT 'many' || lpad(n::text, 6, '0') || repeat('x', n / 2300 * 20), 'many' || lpad(n::text, 6, '0'), '', 'cookies:eat'
         FROM generate_series(1, $1::int) n`,
      [MANY],
    );
    await database.query(
      `INSERT INTO grants (kind, user_id, scope, created_at, expires_at)
       SELECT 'login', id, scope, now() - interval '1 h', now() + interval '1 d' FROM users WHERE name_folded LIKE 'many%'`,
    );
  });

  afterAll(async () => {
    const { client: database } = app.database;
    await database.query(
      `DELETE FROM grants WHERE user_id IN (SELECT id FROM users WHERE name_folded LIKE 'many%')`,
    );
    await database.query(`DELETE FROM users WHERE name_folded LIKE 'many%'`);
  });

  it('of users: all of them, in order and once, as an array and as a table whose columns grow', async () => {
    const users = await json<{ name: string }[]>('user', 'list');
    const many = users.map(({ name }) => name).filter((name) => name.startsWith('many'));
    expect(many).toHaveLength(MANY);
    expect(many).toEqual([...many].sort());
    const { stdout } = await run('user', 'list');
    const [heading = '', ...lines] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^NAME {8}SCOPE/);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(users.map(({ name }) => name));
    expect(lines.at(-1)).toMatch(/^many002345x{20} {2}cookies:eat {2}enabled/);
  });

  it('of grants: all of them, once', async () => {
    const grants = await json<Grant[]>('grant', 'list');
    expect(new Set(grants.map(({ id }) => id)).size).toBe(grants.length);
    expect(grants.length).toBeGreaterThanOrEqual(MANY);
    expect((await run('grant', 'list')).stdout.trimEnd().split('\n')).toHaveLength(grants.length + 1);
  });

  it('of clients: all of them, the newest first and once, also those that were made in the same moment', async () => {
    const { client: database } = app.database;
    await database.query(
      `INSERT INTO clients (client_id, name, scope, audience, token_format, created_at)
       SELECT 'c-' || lpad(n::text, 24, '0'), 'many', '', '{}', 'opaque', now() - interval '1 d' - n / 700 * interval '1 h'
         FROM generate_series(1, $1::int) n`,
      [MANY],
    );
    const clients = await json<{ client_id: string; name: string; created_at: string }[]>('client', 'list');
    const times = clients.map(({ created_at: at }) => at);
    expect(times).toEqual(times.toSorted().toReversed());
    const ids = clients.map(({ client_id: id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(clients.filter(({ name }) => name === 'many')).toHaveLength(MANY);
    const { stdout } = await run('client', 'list');
    const [heading = '', ...lines] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^CLIENT_ID +NAME +SCOPE /);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(ids);
    await database.query(`DELETE FROM clients WHERE name = 'many'`);
  });

  it('of one person who has none: an empty array, and the headings', async () => {
    expect(await json('session', 'list', '--user', 'Ben')).toEqual([]);
    expect((await run('session', 'list', '--user', 'Ben')).stdout).toMatch(/^ID .*EXPIRES\n$/);
  });
});

describe('health', () => {
  it('alive and ready: exit 0; nobody there: exit 1', async () => {
    const { port } = new URL(app.url);
    const asked = (args: string[], more: Record<string, string>) =>
      keksHere({ ...settings, PORT: port, ...more }, ['health', ...args]);
    for (const HOST of ['127.0.0.1', '0.0.0.0'])
      for (const [args, path] of [
        [[], 'live'],
        [['--ready'], 'ready'],
      ] as const)
        expect(await asked([...args], { HOST, ALLOW_HTTP: 'true' })).toEqual({
          code: 0,
          stdout: `http://127.0.0.1:${port}/health/${path} answers 200.\n`,
          stderr: '',
        });
    const free = String(await freePort());
    expect(await asked([], { PORT: free })).toEqual({
      code: 1,
      stdout: '',
      stderr: `Nothing answers at http://127.0.0.1:${free}/health/live (ECONNREFUSED).\n`,
    });
  });
});

describe('token issue', () => {
  it('--user: a token without password, in the name of the operator, which the user sees', async () => {
    const issued = await json<{ token: string; scope: string }>('token', 'issue', '--user', 'ann');
    expect(issued).toEqual({
      token: expect.stringMatching(/^kat_/),
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'cookies:eat keks:account',
    });
    expect((await get(app.url, '/cookies', issued.token)).status).toBe(200);
    const { items } = (await get(app.url, '/sessions', issued.token)).body as { items: object[] };
    expect(items).toEqual([
      expect.objectContaining({ label: 'issued by the operator', ip: null, current: true }),
    ]);
    const [event] = (await json<Event[]>('audit', '--user', 'Ann', '--type', 'token.issued')).slice(-1);
    expect(event).toMatchObject({ actor: 'operator', detail: { user: 'Ann' } });
  });

  it('--user with --scope and --format jwt, and a refresh token for offline_access', async () => {
    const scope = 'cookies:eat offline_access';
    const issued = await json<Record<string, string>>(
      ...['token', 'issue', '--user', 'Ann', '--scope', scope, '--format', 'jwt'],
    );
    expect(issued['token']?.split('.')).toHaveLength(3);
    expect(issued).toMatchObject({ scope: 'cookies:eat', refresh_token: expect.stringMatching(/^krt_/) });
    expect(await status(issued['token'] ?? '')).toBe(200);
  });

  it('--client: a token without secret', async () => {
    const issued = await json<{ token: string }>('token', 'issue', '--client', client.clientId);
    expect(await status(issued.token)).toBe(200);
    const events = await json<Event[]>('audit', '--client', client.clientId, '--type', 'token.issued');
    expect(events.map((event) => event.actor)).toEqual(['operator']);
  });

  it('--client: none for one that gets only tokens that are bound to a key; nobody could bind it here', async () => {
    const { clientId } = await addClient(app, { dpopBound: true });
    const { stderr, code } = await run('token', 'issue', '--client', clientId);
    expect([code, stderr]).toEqual([1, expect.stringContaining('bound to a key')]);
    expect(await refused('token', 'issue', '--client', clientId)).toEqual([1, 'invalid_dpop_proof']);
  });

  it.each([
    [['--user', 'Nobody'], 1, 'not_found'],
    [['--client', 'c-none'], 1, 'not_found'],
    [['--user', 'Ann', '--scope', 'keks:admin'], 1, 'invalid_scope'],
    [['--user', 'Ann', '--scope', 'a  b'], 1, 'invalid_scope'],
    [['--user', 'Ann', '--client', 'c-none'], 2, 'invalid_request'],
    [['--user', 'Ann', '--format', 'paper'], 2, 'invalid_request'],
    [['--client', 'c-none', '--format', 'jwt'], 2, 'invalid_request'],
    [[], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('token', 'issue', ...args)).toEqual([code, error]);
  });

  it('not for somebody who is disabled', async () => {
    await app.addUser('Gone');
    await run('user', 'disable', 'Gone');
    expect(await refused('token', 'issue', '--user', 'Gone')).toEqual([1, 'not_found']);
  });
});

describe('grant', () => {
  it('list: living grants, of everybody, of one person, of one client', async () => {
    const token = await app.login('Ben');
    await send(app.url, 'POST', '/keys', token, { label: 'night baker', password: PASSWORD });
    const bens = await json<Grant[]>('grant', 'list', '--user', 'ben');
    expect(bens.map(({ kind, label }) => [kind, label])).toEqual([
      ['api_key', 'night baker'],
      ['login', null],
    ]);
    const [standing] = await json<Grant[]>('grant', 'list', '--client', client.clientId);
    expect(standing).toMatchObject({ kind: 'client', client_id: client.clientId, username: null });
    const all = await json<Grant[]>('grant', 'list');
    // not the whole rows: when they were last used is written now and then
    expect(all.map(({ id }) => id)).toEqual(
      expect.arrayContaining([...bens, standing].map((one) => one?.id)),
    );
    const { stdout } = await run('grant', 'list', '--user', 'Ben');
    expect(stdout).toMatch(/^ID +KIND +OF +SCOPE +LABEL +CREATED +LAST_USED\n/);
    expect(stdout).toMatch(/api_key +Ben +cookies:eat +night baker/);
  });

  it('revoke: dead at once on the running server; a second time there is nothing', async () => {
    await app.addUser('Cal');
    const token = await app.login('Cal');
    const [grant] = await json<Grant[]>('grant', 'list', '--user', 'Cal');
    const id = grant?.id ?? '';
    expect(await json('grant', 'revoke', id)).toEqual({ id, revoked: true });
    expect(await status(token)).toBe(401);
    expect(await refused('grant', 'revoke', id)).toEqual([1, 'not_found']);
    const [event] = (await json<Event[]>('audit', '--grant', id)).slice(-1);
    expect(event).toMatchObject({ type: 'grant.revoked', actor: 'operator' });
  });

  it.each([
    [['list', '--user', 'Nobody'], 1, 'not_found'],
    [['list', '--user', 'Ann', '--client', 'c-none'], 2, 'invalid_request'],
    [['revoke', 'x'], 1, 'not_found'],
    [['revoke'], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('grant', ...args)).toEqual([code, error]);
  });
});

describe('audit', () => {
  it('the last events, the newest at the end, filtered and limited', async () => {
    await app.addUser('Dan');
    for (let at = 0; at < 3; at += 1) await app.login('Dan');
    const events = await json<Event[]>('audit', '--user', 'Dan');
    expect(events.map((event) => event.type)).toEqual([
      'user.added',
      'token.issued',
      'token.issued',
      'token.issued',
    ]);
    expect(await json('audit', '--user', 'Dan', '--limit', '2')).toEqual(events.slice(-2));
    const { stdout } = await run('audit', '--user', 'Dan', '--limit', '1');
    expect(stdout).toMatch(
      /^TIME +TYPE +ACTOR +IP +GRANT +DETAIL\n.* token\.issued +user:Dan +127\.0\.0\.1 /,
    );
  });

  it('of a time: nothing older and nothing younger, the whole millisecond at both ends included', async () => {
    await app.database.client.query(
      `INSERT INTO audit_events (created_at, type, actor)
       SELECT '2025-02-01T12:00:00.123456Z'::timestamptz + n * interval '1 ms', 'timed.' || n, 'user:Fay'
         FROM generate_series(0, 3) AS n`,
    );
    const at = (n: number): string => `2025-02-01T13:00:00.${123 + n}+01:00`;
    const types = async (...args: string[]): Promise<string[]> =>
      (await json<Event[]>('audit', '--actor', 'user:Fay', ...args)).map(({ type }) => type);
    expect(await types('--since', at(1), '--until', at(2))).toEqual(['timed.1', 'timed.2']);
    expect(await types('--until', at(1))).toEqual(['timed.0', 'timed.1']);
    expect(await types('--since', at(1))).toEqual(['timed.1', 'timed.2', 'timed.3']);
    expect(await types('--since', at(1), '--limit', '1')).toEqual(['timed.3']);
    expect(await types('--until', at(-1))).toEqual([]);
  });

  it.each([
    ['--since', 'yesterday'],
    ['--since', '2026-01-31'],
    ['--until', '2026-01-31T12:00:00'],
    ['--until', '2026-13-31T12:00:00Z'],
    ['--limit', '0'],
    ['--limit', '10001'],
    ['--limit', 'x'],
    ['--grant', 'kat_x'],
    ['--token', 'x'],
  ])('%s %s: exit 2', async (...args) =>
    expect(await refused('audit', ...args)).toEqual([2, 'invalid_request']),
  );

  it('--follow goes on for ever, so it does not go with --until: exit 2', async () =>
    expect(await refused('audit', '--follow', '--until', '2026-01-31T12:00:00Z')).toEqual([
      2,
      'invalid_request',
    ]));

  describe('export', () => {
    interface Line {
      readonly type: string;
      readonly cursor: string;
    }
    const exported = async (...args: string[]): Promise<Line[]> => {
      const { stdout, stderr } = await run('audit', 'export', ...args);
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line);
    };
    const events = 2_300;
    const old = (line: Line): boolean => line.type.startsWith('old.');

    beforeAll(() =>
      app.database.client.query(
        `INSERT INTO audit_events (created_at, type)
         SELECT '2025-01-31T23:59:59.123456Z'::timestamptz + n / 2 * interval '1 microsecond', 'old.' || n
           FROM generate_series(1, ${events}) AS n`,
      ),
    );

    it('the whole log, the oldest first, one document a line; --json changes nothing', async () => {
      const lines = (await exported()).filter(old);
      expect(new Set(lines.map(({ type }) => type)).size).toBe(events);
      expect(lines).toHaveLength(events);
      // two were written in each microsecond
      const times = lines.map(({ type }) => Math.floor(Number(type.slice('old.'.length)) / 2));
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect((await exported('--json')).filter(old)).toEqual(lines);
    });

    it('--after the cursor of any line: the rest, each once', async () => {
      const lines = (await exported()).filter(old);
      for (const at of [0, 1_000, events - 2])
        expect((await exported('--after', lines[at]?.cursor ?? '')).filter(old)).toEqual(lines.slice(at + 1));
    });

    it('what happened this very moment comes next time: an older event may still be on its way', async () => {
      await app.database.client.query(`INSERT INTO audit_events (type) VALUES ('just.now')`);
      expect((await exported()).map(({ type }) => type)).not.toContain('just.now');
    });

    it.each([
      ['--after', 'x'],
      ['--after', '2025-01-31T23:59:59Z'],
      ['--after', "2025-01-31T23:59:59Z_' OR true"],
      ['--after', '2025-99-31T23:59:59Z_8b0f0b0e-7d0a-4b52-9a55-0c8a4b1f2d3e'],
      ['--user', 'Dan'],
      ['--limit', '5'],
      ['--follow'],
    ])('%s %s: exit 2', async (...args) =>
      expect(await refused('audit', 'export', ...args)).toEqual([2, 'invalid_request']),
    );
  });

  it.concurrent(
    '--follow: what was there and then what happens, each event once, as JSON a line; Ctrl-C ends it',
    async () => {
      await app.addUser('Eve');
      await app.login('Eve');
      const args = [program('cli'), 'audit', '--user', 'Eve', '--follow', '--json'];
      const child = spawn(process.execPath, args, {
        env: { PATH: process.env.PATH ?? '', ...settings },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      const types: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        types.push((JSON.parse(line) as Event).type);
        if (types.length === 2) await app.login('Eve');
        if (types.length === 3) {
          await post(app.url, '/issue', { user: 'Eve', password: 'not hers' });
          // another look of the follower, which finds nothing new
          await new Promise((resolve) => setTimeout(resolve, 1_500));
        }
        if (types.length === 4) setTimeout(() => child.kill('SIGINT'), 1_200);
      }
      expect(types).toEqual(['user.added', 'token.issued', 'token.issued', 'login.refused']);
      expect(await ended).toEqual([null, 'SIGINT']);
    },
  );

  it.concurrent('--follow ends when nobody reads any more', async () => {
    const line = `"${process.execPath}" ${program('cli')} audit --follow | head -n 1`;
    const child = spawn('sh', ['-c', line], { env: { PATH: process.env.PATH ?? '', ...settings } });
    const ended = once(child, 'exit');
    const over = new AbortController();
    const logins = (async () => {
      for (; !over.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 300)))
        await app.login('Ann');
    })();
    expect(await ended).toEqual([0, null]);
    over.abort();
    await logins;
  });
});
