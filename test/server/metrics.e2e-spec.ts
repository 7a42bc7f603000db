import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { exchange, JWT } from '../support/exchange.js';
import { keyOf, parseExposition, type Family } from '../support/exposition.js';
import { addClient, basic, clientToken, submit } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { launch, startProcess, type ServerProcess } from '../support/process.js';
import {
  environment,
  get,
  PASSWORD,
  PATIENTLY,
  post,
  request,
  startTestApp,
  type TestApp,
} from '../support/test-app.js';

const ROOT = resolve(import.meta.dirname, '../..');
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;
type Metrics = ReadonlyMap<string, Family>;

function valueOf(metrics: Metrics, name: string, labels: Labels): number | undefined {
  const family = metrics.get(name.replace(/_(?:bucket|sum|count)$/, '')) ?? metrics.get(name);
  const wanted = keyOf({ name, labels, value: 0 });
  return family?.samples.find((sample) => keyOf(sample) === wanted)?.value;
}

describe('GET /metrics', () => {
  let keks: TestApp;
  let operator: string;

  beforeAll(async () => {
    keks = await startTestApp({ LOGIN_FAILURES_PER_ACCOUNT: '3' });
    await keks.addUser('Prometheus', 'keks:metrics');
    await keks.addUser('CookieMonster');
    await keks.addUser('Oscar', 'cookies:eat keks:admin');
    operator = await keks.login('Prometheus');
  });

  afterAll(() => keks.close());

  async function read(): Promise<Metrics> {
    const answer = await get(keks.url, '/metrics', operator);
    expect(answer.status).toBe(200);
    return parseExposition(String(answer.body));
  }

  /** What each series has grown by while `work` was done. */
  async function growth(work: () => Promise<unknown>): Promise<(name: string, labels: Labels) => number> {
    const before = await read();
    await work();
    const after = await read();
    return (name, labels) => (valueOf(after, name, labels) ?? NaN) - (valueOf(before, name, labels) ?? 0);
  }

  const login = async (body: object = {}): Promise<Record<string, string>> =>
    (await post(keks.url, '/issue', { user: 'CookieMonster', password: PASSWORD, ...body })).body as Record<
      string,
      string
    >;
  const refresh = (token = ''): Promise<unknown> =>
    submit(keks.url, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token });

  it('is in the text format of Prometheus, every metric explained', async () => {
    const answer = await get(keks.url, '/metrics', operator);
    expect(answer.headers.get('content-type')).toBe(CONTENT_TYPE);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    for (const { name, type, help } of parseExposition(String(answer.body)).values()) {
      expect(help, name).not.toBe('');
      if (name.startsWith('keks_')) expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });

  it('tells of the process and of the build', async () => {
    const metrics = await read();
    for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds'])
      expect(metrics.get(name)?.samples, name).toHaveLength(1);
    expect(metrics.get('keks_build_info')?.samples).toEqual([
      { name: 'keks_build_info', labels: { version: 'unknown', node: process.version }, value: 1 },
    ]);
  });

  describe('keks_tokens_issued_total', () => {
    const name = 'keks_tokens_issued_total';

    it('counts logins by format', async () => {
      const grown = await growth(() => Promise.all([login(), login(), login({ format: 'jwt' })]));
      expect(grown(name, { kind: 'login', format: 'opaque' })).toBe(2);
      expect(grown(name, { kind: 'login', format: 'jwt' })).toBe(1);
    });

    it('counts what clients get', async () => {
      const opaque = await addClient(keks);
      const jwt = await addClient(keks, { tokenFormat: 'jwt' });
      const grown = await growth(async () => {
        await clientToken(keks, opaque);
        await clientToken(keks, jwt);
        await submit(keks.url, '/oauth/token', { grant_type: 'client_credentials', scope: 'x' }, basic(jwt));
      });
      expect(grown(name, { kind: 'client', format: 'opaque' })).toBe(1);
      expect(grown(name, { kind: 'client', format: 'jwt' })).toBe(1);
    });

    it('counts tokens that were exchanged', async () => {
      const client = await addClient(keks, { audience: [keks.config.AUDIENCE], tokenExchange: true });
      const token = await keks.login('CookieMonster');
      const grown = await growth(async () => {
        await exchange(keks, client, token);
        await exchange(keks, client, token, { requested_token_type: JWT });
        await exchange(keks, client, 'kat_x');
      });
      expect(grown(name, { kind: 'exchange', format: 'opaque' })).toBe(1);
      expect(grown(name, { kind: 'exchange', format: 'jwt' })).toBe(1);
    });

    it('counts API keys', async () => {
      const token = await keks.login('CookieMonster');
      const grown = await growth(() =>
        post(keks.url, '/keys', { label: 'oven', password: PASSWORD }, { authorization: `Bearer ${token}` }),
      );
      expect(grown(name, { kind: 'api_key', format: 'opaque' })).toBe(1);
    });

    it('counts no login that was refused', async () => {
      const grown = await growth(() => login({ password: 'wrong' }));
      expect(grown(name, { kind: 'login', format: 'opaque' })).toBe(0);
    });
  });

  describe('keks_validations_total', () => {
    const name = 'keks_validations_total';
    const inactive = (reason: string): Labels => ({ verdict: 'inactive', reason });

    it('counts verdicts by reason, whoever asked', async () => {
      const { token = '' } = await login();
      const { token: revoked = '' } = await login();
      const { token: elsewhere = '' } = await login();
      const oven = await addClient(keks);
      await post(keks.url, '/revoke', { token: revoked });
      const grown = await growth(async () => {
        await get(keks.url, '/cookies', token);
        await post(keks.url, '/validate', { token });
        await get(keks.url, '/cookies', revoked);
        await get(keks.url, '/cookies', 'nonsense');
        await get(keks.url, '/cookies', 'kat_'.padEnd(58, 'x'));
        await post(keks.url, '/validate', { token: oven.clientSecret });
        await submit(keks.url, '/oauth/introspect', { token: elsewhere }, basic(oven));
      });
      // the second reading validates its own token
      expect(grown(name, { verdict: 'active', reason: 'none' })).toBe(3);
      expect(grown(name, inactive('revoked'))).toBe(1);
      expect(grown(name, inactive('malformed'))).toBe(1);
      expect(grown(name, inactive('forged'))).toBe(1);
      expect(grown(name, inactive('wrong_kind'))).toBe(1);
      expect(grown(name, inactive('wrong_audience'))).toBe(1);
    });

    it('has a series for every reason from the start', async () => {
      const reasons = (await read()).get(name)?.samples.map(({ labels }) => labels['reason']);
      expect(reasons?.sort()).toEqual(
        [
          ...['expired', 'forged', 'grant_expired', 'grant_revoked', 'malformed', 'none', 'revoked'],
          ...['unavailable', 'unknown', 'wrong_audience', 'wrong_kind'],
        ].sort(),
      );
    });
  });

  it('keks_refreshes_total tells a rotation, a retry and a theft', async () => {
    const name = 'keks_refreshes_total';
    const { refresh_token: first } = await login({ scope: 'cookies:eat offline_access' });
    const rotated = await growth(() => refresh(first));
    expect(rotated(name, { outcome: 'rotated' })).toBe(1);
    expect(rotated('keks_tokens_issued_total', { kind: 'refresh', format: 'opaque' })).toBe(1);
    const replayed = await growth(() => refresh(first));
    expect(replayed(name, { outcome: 'replayed' })).toBe(1);
    keks.clock.advance(11);
    const stolen = await growth(() => refresh(first));
    expect(stolen(name, { outcome: 'theft' })).toBe(1);
    expect(stolen('keks_revocations_total', { kind: 'grant' })).toBe(1);
    const late = await growth(() => refresh(first));
    for (const outcome of ['rotated', 'replayed', 'theft']) expect(late(name, { outcome })).toBe(0);
  });

  it('keks_logins_refused_total tells wrong passwords from attempts that were too many', async () => {
    const grown = await growth(async () => {
      for (let attempt = 0; attempt < 5; attempt += 1) await login({ user: 'nobody', password: 'wrong' });
    });
    expect(grown('keks_logins_refused_total', { reason: 'credentials' })).toBe(3);
    expect(grown('keks_logins_refused_total', { reason: 'throttled' })).toBe(2);
  });

  describe('keks_revocations_total', () => {
    const name = 'keks_revocations_total';

    it('counts a token once, however often it is revoked', async () => {
      const { token } = await login();
      const grown = await growth(async () => {
        await post(keks.url, '/revoke', { token });
        await post(keks.url, '/revoke', { token });
        await post(keks.url, '/revoke', { token: 'nonsense' });
      });
      expect(grown(name, { kind: 'access_token' })).toBe(1);
      expect(grown(name, { kind: 'grant' })).toBe(0);
    });

    it('counts every grant that ends', async () => {
      await keks.addUser('Grover');
      await Promise.all([keks.login('Grover'), keks.login('Grover')]);
      const token = await keks.login('Grover');
      const grown = await growth(() =>
        request(keks.url, '/sessions', { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }),
      );
      expect(grown(name, { kind: 'grant' })).toBe(3);
    });

    it('counts those that an operator ends', async () => {
      await keks.addUser('Ernie');
      const admin = await keks.login('Oscar');
      const { items } = (await get(keks.url, '/admin/users?limit=100', admin)).body as {
        items: { id: string; name: string }[];
      };
      const path = `/admin/users/${items.find((one) => one.name === 'Ernie')?.id}`;
      const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
      await keks.login('Ernie');
      const revoked = await growth(() => request(keks.url, `${path}/revoke`, { method: 'POST', headers }));
      expect(revoked(name, { kind: 'grant' })).toBe(1);
      await keks.login('Ernie');
      const body = JSON.stringify({ disabled: true });
      const disabled = await growth(() => request(keks.url, path, { method: 'PATCH', headers, body }));
      expect(disabled(name, { kind: 'grant' })).toBe(1);
    });
  });

  it('keks_batch_size sees every question in a batch', async () => {
    const { token } = await login();
    const ask = (): Promise<unknown> => get(keks.url, '/cookies', token);
    const grown = await growth(() => Promise.all(Array.from({ length: 20 }, ask)));
    // and the second reading
    expect(grown('keks_batch_size_sum', { batch: 'access_token' })).toBe(21);
    expect(grown('keks_batch_size_count', { batch: 'access_token' })).toBeLessThanOrEqual(21);
    expect(grown('keks_batch_size_bucket', { batch: 'access_token', le: '+Inf' })).toBeGreaterThan(0);
  });

  it('tells how long the queues are, and the pools', async () => {
    const metrics = await read();
    expect(metrics.get('keks_login_lane_waiting')?.samples).toMatchObject([{ value: 0 }]);
    const batches = metrics.get('keks_batch_waiting')?.samples.map(({ labels }) => labels['batch']);
    expect(batches?.sort()).toEqual([
      'access_token',
      'api_key',
      'client_secret',
      'client_token',
      'introspection',
      'refresh_token',
    ]);
    // a question is answered a moment before its connection is given back
    await vi.waitFor(async () => {
      const now = await read();
      for (const pool of ['main', 'hot']) {
        expect(valueOf(now, 'keks_database_waiting', { pool })).toBe(0);
        const connections = (state: string) => valueOf(now, 'keks_database_connections', { pool, state });
        expect(connections('idle')).toBeGreaterThan(0);
        expect(connections('busy')).toBe(0);
      }
    }, PATIENTLY);
  });

  it('tells what alarms ask for: ready, looked after, rows without a partition, when the next key is due', async () => {
    const maintenance = keks.app.get(Maintenance);
    const { client } = keks.database;
    await login({ format: 'jwt' });
    await client.query(
      `INSERT INTO audit_events (created_at, type) SELECT '2001-01-01', 'old' FROM generate_series(1, 3)`,
    );
    keks.clock.advance(60);
    const before = keks.clock.now() / 1_000;
    await maintenance.run();
    const after = keks.clock.now() / 1_000;
    const metrics = await read();
    expect(valueOf(metrics, 'keks_ready', {})).toBe(1);
    const done = valueOf(metrics, 'keks_maintenance_timestamp_seconds', {});
    expect(done).toBeGreaterThanOrEqual(before);
    expect(done).toBeLessThanOrEqual(after);
    for (const [table, rows] of Object.entries({ access_tokens: 0, refresh_tokens: 0, audit_events: 3 }))
      expect(valueOf(metrics, 'keks_default_partition_rows', { table }), table).toBe(rows);
    const { rows } = await client.query<{ kid: string; from: number }>(
      'SELECT kid, extract(epoch FROM signs_from)::float8 AS from FROM signing_keys',
    );
    expect(metrics.get('keks_signing_key_due_timestamp_seconds')?.samples).toMatchObject(
      rows.map(({ kid, from }) => ({ labels: { kid }, value: from + keks.config.SIGNING_KEY_TTL })),
    );
  });

  it('keks_http_requests_total goes by the pattern of the route and the class of the status', async () => {
    const name = 'keks_http_requests_total';
    const token = await keks.login('Oscar');
    const id = '6f1ed002-ab5c-4f0a-b3f5-6b2c8d1e7a90';
    const grown = await growth(async () => {
      await get(keks.url, '/cookies');
      await get(keks.url, '/cookies', token);
      await get(keks.url, `/admin/users/${id}`, token);
      await get(keks.url, '/nowhere');
      await request(keks.url, '/cookies', { method: 'DELETE' });
      await request(keks.url, '/cookies', { method: 'OPTIONS' });
    });
    expect(grown(name, { method: 'GET', route: '/cookies', status: '2xx' })).toBe(1);
    expect(grown(name, { method: 'GET', route: '/cookies', status: '4xx' })).toBe(1);
    expect(grown(name, { method: 'GET', route: '/admin/users/:id', status: '4xx' })).toBe(1);
    expect(grown(name, { method: 'GET', route: 'none', status: '4xx' })).toBe(1);
    expect(grown(name, { method: 'DELETE', route: 'none', status: '4xx' })).toBe(1);
    expect(grown(name, { method: 'OPTIONS', route: 'none', status: '2xx' })).toBe(1);
    const took = 'keks_http_request_duration_seconds';
    expect(grown(`${took}_count`, { method: 'GET', route: '/cookies' })).toBe(2);
    expect(grown(`${took}_sum`, { method: 'GET', route: '/cookies' })).toBeGreaterThan(0);
  });

  it('does not grow with what callers send', async () => {
    const garbage = async (seed: string): Promise<void> => {
      await get(keks.url, `/${seed}`, `kat_${seed}`);
      await get(keks.url, '/cookies', `kat_${seed}`);
      await get(keks.url, `/cookies?${seed}=${seed}`, seed);
      await post(keks.url, '/validate', { token: seed });
      await post(keks.url, '/revoke', { token: seed });
      await get(keks.url, `/keys/${seed}`);
      await request(keks.url, `/keys/${seed}`, { method: 'DELETE' });
      await request(keks.url, `/${seed}`, { method: 'PROPFIND' });
    };
    const series = async (): Promise<string[]> =>
      [...(await read()).values()]
        // what Node is busy with at the moment comes and goes, and kinds of collections come with the first of each
        .filter(({ name }) => !/^nodejs_(?:active_|gc_)/.test(name))
        .flatMap(({ samples }) => samples.map(keyOf))
        .sort();
    await garbage('seed');
    await login({ user: 'seed', password: 'seed' });
    const before = await series();
    for (let round = 0; round < 4; round += 1)
      await Promise.all(Array.from({ length: 10 }, (_, at) => garbage(`garbage-${round}-${at}`)));
    await login({ user: 'garbage', password: 'garbage' });
    const after = await series();
    expect(after).toEqual(before);
    expect(after.join('\n')).not.toMatch(/garbage|seed/);
  }, 120_000);

  describe('GET /admin/numbers', () => {
    interface Numbers {
      readonly instance: string;
      readonly uptime: number;
      readonly issued: Readonly<Record<string, number>>;
      readonly validated: number;
      readonly refused: Readonly<Record<string, number>>;
      readonly unanswered: number;
      readonly logins_refused: Readonly<Record<string, number>>;
      readonly revoked: Readonly<Record<string, number>>;
      readonly requests: { readonly bounds: number[]; readonly counts: number[] };
    }
    const difference = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): object =>
      Object.fromEntries(
        Object.entries(b).flatMap(([name, count]) =>
          count === a[name] ? [] : [[name, count - (a[name] ?? NaN)]],
        ),
      );

    it('200: what happened between two answers, and how long requests took', async () => {
      const admin = await keks.login('Oscar');
      const ask = async (): Promise<Numbers> => {
        const answer = await get(keks.url, '/admin/numbers', admin);
        expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
        return answer.body as Numbers;
      };
      const before = await ask();
      const { token = '' } = await login({ format: 'jwt' });
      await post(
        keks.url,
        '/keys',
        { label: 'oven', password: PASSWORD },
        { authorization: `Bearer ${token}` },
      );
      await get(keks.url, '/cookies', token);
      await get(keks.url, '/cookies', 'nonsense');
      await post(keks.url, '/revoke', { token });
      await get(keks.url, '/cookies', token);
      await login({ user: 'Stranger', password: 'wrong' });
      const after = await ask();
      expect(after.instance).toBe(before.instance);
      expect(after.uptime).toBeGreaterThan(before.uptime);
      expect(difference(before.issued, after.issued)).toEqual({ login: 1, api_key: 1 });
      // the second question is asked with a token too
      expect(after.validated - before.validated).toBe(3);
      expect(difference(before.refused, after.refused)).toEqual({ malformed: 1, revoked: 1 });
      expect(after.unanswered).toBe(before.unanswered);
      expect(difference(before.logins_refused, after.logins_refused)).toEqual({ credentials: 1 });
      expect(difference(before.revoked, after.revoked)).toEqual({ access_token: 1 });
      const sum = ({ requests }: Numbers): number => requests.counts.reduce((a, b) => a + b, 0);
      expect(sum(after) - sum(before)).toBe(7);
      expect(after.requests.counts).toHaveLength(after.requests.bounds.length + 1);
    });

    it('has every reason for which a token is refused', async () => {
      const { refused } = (await get(keks.url, '/admin/numbers', await keks.login('Oscar'))).body as Numbers;
      const reasons = (await read()).get('keks_validations_total')?.samples ?? [];
      expect(Object.keys(refused).sort()).toEqual(
        reasons
          .filter(({ labels }) => labels['verdict'] === 'inactive')
          .map(({ labels }) => labels['reason'])
          .sort(),
      );
    });
  });

  it('counts validations without a verdict', async () => {
    const { token } = await login();
    const before = await read();
    const { client } = keks.database;
    await client.query('ALTER TABLE access_tokens RENAME TO away');
    try {
      expect(await get(keks.url, '/cookies', token)).toMatchObject({ status: 503 });
    } finally {
      await client.query('ALTER TABLE away RENAME TO access_tokens');
    }
    const labels = { verdict: 'none', reason: 'unavailable' };
    const value = (metrics: Metrics): number => valueOf(metrics, 'keks_validations_total', labels) ?? NaN;
    expect(value(await read()) - value(before)).toBe(1);
  });

  describe('with a database', () => {
    it('401 without a token', async () => {
      const answer = await get(keks.url, '/metrics');
      expect(answer).toMatchObject({ status: 401, body: { error: 'unauthorized' } });
      expect(answer.headers.get('www-authenticate')).toContain('scope="keks:metrics"');
    });

    it('403 for a token without the scope', async () => {
      const answer = await get(keks.url, '/metrics', await keks.login('Oscar'));
      expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
    });

    it('200 for a system that has it', async () => {
      const scraper = await addClient(keks, { scope: ['keks:metrics'] });
      const { access_token } = await clientToken(keks, scraper);
      expect((await get(keks.url, '/metrics', access_token)).status).toBe(200);
    });
  });
});

describe('GET /metrics without DATABASE_URL', () => {
  let dataDir: string;
  let server: ServerProcess;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-metrics-'));
    const port = String(await freePort());
    server = launch({ DATA_DIR: dataDir, LOG_LEVEL: 'silent', PORT: port }, `http://127.0.0.1:${port}`);
    // initdb takes its time on a machine that is busy
    for (let attempt = 0; attempt < 600 && server.child.exitCode === null; attempt += 1) {
      const ready = await fetch(`${server.url}/health/ready`).catch(() => undefined);
      if (ready?.status === 200) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(server.output());
  }, 90_000);

  afterAll(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('is open', async () => {
    const answer = await get(server.url, '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(CONTENT_TYPE);
    const [build] = parseExposition(String(answer.body)).get('keks_build_info')?.samples ?? [];
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(build?.labels['version']).toBe(version);
  });

  it('has every metric and every label that the alarms name', async () => {
    const metrics = parseExposition(String((await get(server.url, '/metrics')).body));
    const text = readFileSync(join(ROOT, 'deploy/prometheus/alerts.yaml'), 'utf8');
    const { groups } = parse(text) as { groups: { rules: { alert: string; expr: string }[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(rules.length).toBeGreaterThan(9);
    const operating = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
    for (const { alert, expr } of rules) {
      const names = expr.match(/\b(?:keks|process|nodejs)_\w+/g) ?? [];
      expect(names, alert).not.toEqual([]);
      for (const name of names) expect([...metrics.keys()], alert).toContain(name);
      expect(operating).toContain(`\`${alert}\``);
    }
  });

  it('has every metric that the dashboard shows', async () => {
    const metrics = parseExposition(String((await get(server.url, '/metrics')).body));
    const dashboard = readFileSync(join(ROOT, 'docs/grafana-dashboard.json'), 'utf8');
    const expressions = [...dashboard.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(([, one = '']) => one);
    const names = expressions.flatMap((one) => one.match(/\b(?:keks|process|nodejs)_\w+/g) ?? []);
    expect(names.length).toBeGreaterThan(10);
    const known = [...metrics.values()].flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    );
    for (const name of names) expect(known).toContain(name);
    for (const name of metrics.keys())
      if (name.startsWith('keks_')) expect(dashboard, `${name} is on the dashboard`).toContain(name);
  });
});

const ISSUER = 'http://127.0.0.1:3000';

interface Documented {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: object;
  readonly components: {
    readonly securitySchemes: {
      readonly oauth2: { readonly flows: { readonly clientCredentials: { readonly tokenUrl: string } } };
    };
  };
}

describe('OPS_PORT', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let opsPort: number;
  let ops: string;

  beforeAll(async () => {
    database = await createDatabase();
    opsPort = await freePort();
    ops = `http://127.0.0.1:${opsPort}`;
    server = await startProcess(
      environment(database.url, { OPS_PORT: String(opsPort), LOG_LEVEL: 'silent' }),
    );
  });

  afterAll(async () => {
    await server.stop();
    await database.close();
  });

  it('serves the metrics to whoever reaches it, about the other port', async () => {
    const labels = { method: 'GET', route: '/cookies', status: '4xx' };
    const read = async (): Promise<Metrics> => parseExposition(String((await get(ops, '/metrics')).body));
    await get(server.url, '/cookies');
    expect(valueOf(await read(), 'keks_http_requests_total', labels)).toBe(1);
    expect((await get(ops, '/metrics')).headers.get('content-type')).toBe(CONTENT_TYPE);
  });

  it('serves them nowhere else', async () => {
    expect((await get(server.url, '/metrics')).status).toBe(404);
  });

  it('serves the API’s documents, and nowhere else; the page may send to the public address', async () => {
    for (const path of ['/docs', '/docs-json']) expect((await get(server.url, path)).status, path).toBe(404);
    for (const path of ['/', '/console']) {
      const linked = String((await get(server.url, path)).body);
      expect(linked, path).toContain('API reference');
      expect(linked, path).not.toContain('"docs"');
    }
    const page = await get(ops, '/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain(`connect-src 'self' ${ISSUER};`);
    const document = (await get(ops, '/docs-json')).body as Documented;
    expect(document.servers.map((one) => one.url)).toEqual([ISSUER]);
    expect(document.components.securitySchemes.oauth2.flows.clientCredentials.tokenUrl).toBe(
      `${ISSUER}/oauth/token`,
    );
    expect(document.paths).toHaveProperty(['/cookies']);
    expect(document.paths).not.toHaveProperty(['/metrics']);
  });

  it('answers for the health of the process on both', async () => {
    for (const url of [ops, server.url])
      for (const path of ['/health/live', '/health/ready'])
        expect(await get(url, path), url + path).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('serves nothing but that', async () => {
    for (const path of ['/', '/cookies', '/issue', '/.well-known/jwks.json'])
      expect(await get(ops, path), path).toMatchObject({ status: 404, body: { error: 'not_found' } });
    expect(await post(ops, '/metrics', {})).toMatchObject({ status: 405 });
  });

  it('a port that is taken refuses the start in one line', async () => {
    const refused = launch(environment(database.url, { OPS_PORT: String(opsPort), LOG_LEVEL: 'silent' }));
    const deadline = setTimeout(() => refused.child.kill('SIGKILL'), 90_000);
    const code = await new Promise((resolve) => refused.child.once('exit', resolve));
    clearTimeout(deadline);
    expect(code).toBe(1);
    expect(refused.output()).toBe(
      `127.0.0.1:${opsPort} is taken: stop what listens there, or choose another OPS_PORT.\n`,
    );
  });

  it('stops with the server', async () => {
    expect(await server.stop()).toBe(0);
    await expect(fetch(`${ops}/health/live`)).rejects.toThrow();
  });
});
