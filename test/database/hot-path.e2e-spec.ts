import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthService } from '../../src/auth/auth.service.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { DESCRIBE_WITH_GRANTS, LOOK_UP_ACCESS_TOKENS } from '../../src/auth/tokens/token-lookup.sql.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { connectionOf, hotPool } from '../../src/database/pools.js';
import { exchange } from '../support/exchange.js';
import { addClient } from '../support/oauth.js';
import { pipeline } from '../support/raw-http.js';
import { logStatements, type StatementLog } from '../support/statement-log.js';
import { get, PASSWORD, PATIENTLY, post, startTestApp, type TestApp } from '../support/test-app.js';
import { forged, genuine, unpack } from '../support/token-smith.js';

let keks: TestApp;
let token: string;
let statements: StatementLog;

beforeAll(async () => {
  keks = await startTestApp({ LOG_LEVEL: 'trace' });
  await keks.addUser('CookieDestroyer');
  token = await keks.login('CookieDestroyer');
  statements = await logStatements(keks.database, keks.app);
  await vi.waitFor(async () => expect((await get(keks.url, '/health/ready')).status).toBe(200), PATIENTLY);
  expect((await get(keks.url, '/cookies', token)).status).toBe(200);
});

afterAll(() => keks.close());

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const ours = () => keks.app.get(TokenKeys).current;
const jwt = (...parts: (object | string)[]): string =>
  parts
    .map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'))
    .join('.');
const literal = (values: string[], type: string) =>
  `ARRAY[${values.map((one) => `'${one}'`).join(',')}]::${type}[]`;
const forms = (text: string): string[] => {
  const payload = text.slice(4, 52);
  return [
    text,
    payload,
    text.slice(-6),
    Buffer.from(text).toString('hex'),
    Buffer.from(payload, 'base64url').toString('hex'),
  ];
};

describe('a validation', () => {
  it('is one statement at PostgreSQL, and a login is few', async () => {
    await statements.since();
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    expect(await statements.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name]);
    expect((await post(keks.url, '/validate', { token })).status).toBe(200);
    expect(await statements.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name]);
    await keks.login('CookieDestroyer');
    const login = await statements.since();
    expect(login).toContain('issue_to_user');
    expect(login.length).toBeLessThan(10);
  });

  it('of a token that was exchanged is two, and the revoke of an opaque one finds out that guards need not be told', async () => {
    const client = await addClient(keks, { audience: [keks.config.AUDIENCE], tokenExchange: true });
    const own = await keks.login('CookieDestroyer');
    const { body } = await exchange(keks, client, own);
    const { access_token: made } = body as { access_token: string };
    await statements.since();
    expect((await get(keks.url, '/cookies', made)).status).toBe(200);
    expect(await statements.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name, DESCRIBE_WITH_GRANTS.name]);
    await post(keks.url, '/revoke', { token: own });
    expect(await statements.since()).toEqual(['revoke_access_token', 'jwt_from_token']);
    expect((await get(keks.url, '/cookies', made)).status).toBe(401);
  });

  it('is none for a request without credentials, malformed ones or another scheme', async () => {
    await statements.since();
    for (const authorization of [undefined, 'Basic Zm9v', 'Bearer', `Bearer ${token} x`])
      await fetch(`${keks.url}/cookies`, authorization === undefined ? {} : { headers: { authorization } });
    await get(keks.url, `/cookies?access_token=${token}`);
    expect(await statements.since()).toEqual([]);
  });

  const { current: key } = new TokenKeys({ SECRET_KEY: Buffer.alloc(32), SECRET_KEY_PREVIOUS: undefined });
  const claims = { iss: 'http://127.0.0.1:3000', aud: 'http://127.0.0.1:3000', exp: 9_999_999_999, jti: 'x' };

  it.each([
    ['garbage', () => 'x'],
    ['8 KB of garbage', () => 'x'.repeat(8_192)],
    ['random text of the right form', () => `kat_${randomBytes(36).toString('base64url')}000000`],
    ['a wrong checksum', () => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')],
    ['a forged MAC', () => forged(token, { mac: randomBytes(8) })],
    ['a forged expiry', () => forged(token, { expiresAt: unpack(token).expiresAt + 60 })],
    ['other random bytes', () => forged(token, { random: randomBytes(22) })],
    ['another cell', () => forged(token, { cell: 1 })],
    ['another prefix', () => forged(token, {}, 'krt_')],
    ['somebody else’s key', () => genuine('kat_', keks.clock.seconds() + 60, key)],
    ['an expired token', () => genuine('kat_', keks.clock.seconds() - 1, ours())],
    ['a token that expired long ago', () => genuine('kat_', 0, ours())],
    ['a refresh token', () => genuine('krt_', keks.clock.seconds() + 60, ours())],
    ['a client secret', () => genuine('kcs_', 0xff_ff_ff_ff, ours())],
    ['an expired API key', () => genuine('kak_', keks.clock.seconds() - 1, ours())],
    ['a JWT without signature', () => `${jwt({ alg: 'none', typ: 'at+jwt' }, claims)}.`],
    ['a JWT of another algorithm', () => jwt({ alg: 'HS256', typ: 'at+jwt', kid: 'x' }, claims, 'signature')],
    ['three parts that are no JWT', () => 'a.b.c'],
  ])('is none at PostgreSQL for %s, at /cookies and at /validate', async (_, make) => {
    const made = make();
    await statements.since();
    expect((await get(keks.url, '/cookies', made)).status).toBe(401);
    expect((await post(keks.url, '/validate', { token: made })).status).toBe(401);
    expect(await statements.since()).toEqual([]);
  });

  it('is one all the same for a token of ours that is unknown or revoked: only the primary knows', async () => {
    const other = await keks.login('CookieDestroyer');
    await post(keks.url, '/revoke', { token: other });
    await statements.since();
    expect((await get(keks.url, '/cookies', other)).status).toBe(401);
    expect(await statements.since()).toEqual([LOOK_UP_ACCESS_TOKENS.name]);
  });
});

describe('validations that arrive together', () => {
  it('share statements: 1,000 in one turn are two small ones, sent at once, and 8', async () => {
    await statements.since();
    const auth = keks.app.get(AuthService);
    const verdicts = await Promise.all(Array.from({ length: 1_000 }, () => auth.validate(token)));
    expect(verdicts.every(({ active }) => active)).toBe(true);
    expect(await statements.since()).toEqual(Array.from({ length: 10 }, () => LOOK_UP_ACCESS_TOKENS.name));
  });

  it('over HTTP, too, and each hears its own verdict', async () => {
    const others = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        keks.login('CookieDestroyer', n % 2 ? 'cookies:eat' : 'keks:account'),
      ),
    );
    await post(keks.url, '/revoke', { token: others[7] });
    const unknown = genuine('kat_', unpack(token).expiresAt, keks.app.get(TokenKeys).current);
    const asked = Array.from({ length: 200 }, (_, n) => [...others, unknown, token][n % 10] ?? '');
    const wanted = asked.map((one) => {
      if (one === unknown || one === others[7]) return 401;
      return one === token || others.indexOf(one) % 2 === 1 ? 200 : 403;
    });
    await statements.since();
    const answers = await pipeline(
      keks.url,
      asked.map((one) => `GET /cookies HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${one}\r\n`),
    );
    expect(answers.map(({ status }) => status)).toEqual(wanted);
    const sent = await statements.since();
    expect(new Set(sent)).toEqual(new Set([LOOK_UP_ACCESS_TOKENS.name]));
    expect(sent.length).toBeLessThanOrEqual(20);
  });
});

describe('the look-up of tokens', () => {
  const PER_DAY = 4_000;
  const DAYS = 8;
  let pool: Pool;
  let digests: Buffer[];
  let expiries: Date[];

  interface Plan {
    'Node Type': string;
    'Relation Name'?: string;
    'Index Name'?: string;
    'Actual Loops'?: number;
    'Actual Rows'?: number;
    Plans?: Plan[];
  }

  const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

  /** As the program prepares it, on connections made as the program makes them. */
  async function explain(count: number, mode: 'force_generic_plan' | 'force_custom_plan'): Promise<Plan[]> {
    const client = await pool.connect();
    try {
      await client.query(`SET plan_cache_mode = ${mode}`);
      await client.query(`PREPARE lookup (bytea[], timestamptz[]) AS ${LOOK_UP_ACCESS_TOKENS.text}`);
      const pick = <T>(all: T[]): T[] =>
        all.filter((_, at) => at % Math.floor(all.length / count) === 0).slice(0, count);
      const hex = pick(digests).map((one) => `\\x${one.toString('hex')}`);
      const at = pick(expiries).map((one) => one.toISOString());
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON)
         EXECUTE lookup (${literal(hex, 'bytea')}, ${literal(at, 'timestamptz')})`,
      );
      const [{ 'QUERY PLAN': [top] } = { 'QUERY PLAN': [] }] = rows;
      if (!top) throw new Error('no plan');
      return nodes(top.Plan);
    } finally {
      await client.query('DEALLOCATE ALL; RESET plan_cache_mode');
      client.release();
    }
  }

  beforeAll(async () => {
    const { client } = keks.database;
    for (let day = 0; day < DAYS; day += 1)
      await client.query(
        `SELECT keks_make_partition('access_tokens', date_trunc('day', now(), 'UTC') + $1 * interval '1 d',
                                                     date_trunc('day', now(), 'UTC') + ($1 + 1) * interval '1 d')`,
        [day],
      );
    await client.query(
      `WITH many AS (
         INSERT INTO grants (kind, user_id, scope)
         SELECT 'login', (SELECT id FROM users LIMIT 1), 'a' FROM generate_series(1, 2000) RETURNING id, user_id
       ), numbered AS (SELECT id, user_id, row_number() OVER () AS n FROM many)
       INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, scope, audience, format)
       SELECT sha256(('row ' || series.n)::bytea),
              date_trunc('day', now(), 'UTC') + (series.n % $2) * interval '1 d' + (series.n % 80000 + 1) * interval '1 s',
              numbered.id, numbered.user_id, 'a', 'b', 'opaque'
         FROM generate_series(1, $1::int) AS series (n) JOIN numbered ON numbered.n = 1 + series.n % 2000`,
      [PER_DAY * DAYS, DAYS],
    );
    await client.query('ANALYZE access_tokens, grants, ended_grants');
    const { rows } = await client.query<{ digest: Buffer; expires_at: Date }>(
      `SELECT digest, expires_at FROM access_tokens WHERE audience = 'b' ORDER BY digest LIMIT 3200`,
    );
    digests = rows.map((row) => row.digest);
    expiries = rows.map((row) => row.expires_at);
    pool = hotPool(connectionOf(keks.database.url), 321);
  });

  afterAll(() => pool.end());

  describe.each(['force_generic_plan', 'force_custom_plan'] as const)('with a plan of %s', (mode) => {
    it.each([1, 2, 32, 128])('probes indexes for %i tokens, and reads no table whole', async (count) => {
      const plan = await explain(count, mode);
      const all = plan.filter((node) => node['Relation Name'] !== undefined);
      const endings = all.filter((node) => node['Relation Name'] === 'owner_endings');
      expect(new Set(endings.map((node) => node['Node Type']))).toEqual(new Set(['Index Only Scan']));
      const readers = all.filter((node) => !endings.includes(node));
      expect(new Set(readers.map((node) => node['Node Type']))).toEqual(new Set(['Index Scan']));
      for (const { 'Relation Name': table, 'Index Name': index } of readers)
        expect(index).toBe(table === 'ended_grants' ? 'ended_grants_grant_id_idx' : `${table}_digest_idx`);
      expect(plan.map((node) => node['Node Type'])).not.toContain('Hash Join');
      expect(plan.map((node) => node['Node Type'])).not.toContain('Merge Join');
      expect(plan[0]?.['Actual Rows']).toBe(count);
    });

    it('looks for each token in one partition only: the one that its expiry names', async () => {
      const count = 64;
      const plan = await explain(count, mode);
      const probes = plan.filter((node) => node['Relation Name']?.startsWith('access_tokens'));
      expect(probes.length).toBeGreaterThan(DAYS);
      expect(probes.reduce((sum, node) => sum + (node['Actual Loops'] ?? 0), 0)).toBe(count);
      const others = plan.filter(
        (node) => !node['Relation Name']?.startsWith('access_tokens') && node['Index Name'],
      );
      expect(others.map((node) => [node['Index Name'], node['Actual Loops']])).toEqual([
        // whether there is any ending: once a statement; whether it is this owner's: never, as there is none
        [expect.stringMatching(/^owner_endings_/), 1],
        ['ended_grants_grant_id_idx', count],
        ['owner_endings_user_id_idx', 0],
      ]);
    });

    it('never opens the other partitions for a single token', async () => {
      const plan = await explain(1, mode);
      const opened = plan.filter(
        (node) => node['Relation Name']?.startsWith('access_tokens') && (node['Actual Loops'] ?? 0) > 0,
      );
      expect(opened).toHaveLength(1);
    });
  });

  it('would read tables whole on other connections, so that this test can fail', async () => {
    const { rows } = await keks.database.client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT * FROM unnest(ARRAY(SELECT digest FROM access_tokens LIMIT 2000)) AS q (digest)
         JOIN access_tokens t ON t.digest = q.digest`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('Seq Scan');
  });

  it('is asked on connections that refuse a standby, probe only, plan once and give up in time', async () => {
    const { rows } = await pool.query<{ name: string; setting: string }>(
      `SELECT name, setting FROM pg_settings
        WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'plan_cache_mode', 'statement_timeout') ORDER BY name`,
    );
    expect(rows.map(({ name, setting }) => [name, setting])).toEqual([
      ['enable_hashjoin', 'off'],
      ['enable_mergejoin', 'off'],
      ['enable_seqscan', 'off'],
      ['plan_cache_mode', 'force_generic_plan'],
      ['statement_timeout', '321'],
    ]);
  });

  it('finds few partitions attached: as many as the lifetime of a token has days, and a few to spare', async () => {
    const { client } = keks.database;
    await client.query(`DELETE FROM access_tokens WHERE audience = 'b'`);
    for (let day = 0; day < 15; day += 1) {
      await keks.app.get(Maintenance).run();
      keks.clock.advance(86_400);
    }
    await keks.app.get(Maintenance).run();
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_inherits WHERE inhparent = 'access_tokens'::regclass`,
    );
    expect(rows[0]?.count).toBeGreaterThanOrEqual(3);
    expect(rows[0]?.count).toBeLessThanOrEqual(6);
    keks.clock.advance(-15 * 86_400);
  });
});

describe('a token at rest', () => {
  it('is its SHA-256 and nothing else: no column of any table has it in clear, nor the password', async () => {
    const secret = await keks.login('CookieDestroyer');
    await get(keks.url, '/cookies', secret);
    await post(keks.url, '/validate', { token: secret });
    const revoked = await keks.login('CookieDestroyer');
    await post(keks.url, '/revoke', { token: revoked });
    await post(keks.url, '/revoke', { token: forged(secret, { mac: randomBytes(8) }) });
    const { client } = keks.database;
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT quote_ident(relname) AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relpersistence = 'p'`,
    );
    let dump = '';
    for (const { name } of tables) {
      const { rows } = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
      dump += rows.map(({ line }) => line).join('\n');
    }
    for (const one of [secret, revoked]) {
      expect(dump).toContain(digest(one).toString('hex'));
      for (const form of forms(one).filter((form) => form.length > 6)) expect(dump).not.toContain(form);
      expect(dump).not.toContain(unpack(one).random.toString('hex'));
    }
    expect(dump).not.toContain(PASSWORD);
    expect(dump).not.toContain(Buffer.from(PASSWORD).toString('hex'));
  });

  it('is in no line of the log, not even at trace', async () => {
    const secret = await keks.login('CookieDestroyer');
    await get(keks.url, '/cookies', secret);
    await get(keks.url, '/cookies', `${secret}x`);
    await get(keks.url, `/cookies?access_token=${secret}`);
    await get(keks.url, `/${secret}`);
    await post(keks.url, '/validate', { token: secret });
    await post(keks.url, `/validate?token=${secret}`, { token: `${secret} ` });
    await post(keks.url, '/issue', { user: 'CookieDestroyer', password: PASSWORD, scope: secret });
    await post(keks.url, '/revoke', { token: secret });
    await post(keks.url, '/issue', { user: 'CookieDestroyer', password: `${PASSWORD}x` });
    const log = keks.log.join('');
    expect(keks.log.length).toBeGreaterThan(8);
    expect(log).not.toContain(secret.slice(4, 52));
    expect(log).not.toContain(PASSWORD);
  });
});
