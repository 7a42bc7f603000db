import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pino from 'pino';
import { Writable } from 'node:stream';
import { RefusalLog } from '../../src/http/refusal-log.js';
import { Turns } from '../../src/auth/api-keys/turns.js';
import { OWN_MOST, Repeats } from '../../src/auth/audit/repeats.js';
import { Refusals } from '../../src/auth/audit/refusals.js';
import { LastUse } from '../../src/auth/grants/last-use.js';
import { RecentUse } from '../../src/auth/grants/recent-use.js';
import { GuardLeases } from '../../src/auth/leases/guard-leases.js';
import { LeaseHolders } from '../../src/auth/leases/lease-holders.js';
import type { News } from '../../src/auth/leases/poll.js';
import { Publication } from '../../src/auth/leases/publication.js';
import { RecentRevocations } from '../../src/auth/leases/recent-revocations.js';
import { Snapshot } from '../../src/auth/leases/snapshot.js';
import { COUNTED, placeOf } from '../../src/auth/throttle/client-throttle.js';
import type { SigningKeyInMemory } from '../../src/auth/keys/key-ring.js';
import { ProvenJwts } from '../../src/auth/tokens/jwt/proven-jwts.js';
import { FairTurns } from '../../src/auth/users/fair-turns.js';
import { LoginLane } from '../../src/auth/users/login-lane.js';
import { PasswordHash } from '../../src/auth/users/password-hash.js';
import { Database } from '../../src/database/database.js';
import { MicroBatch } from '../../src/database/hot/micro-batch.js';
import { RecentEndings } from '../../src/database/recent-endings.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { HttpTraffic } from '../../src/ops/http-traffic.js';
import { ProofReader } from '../../packages/guard/src/dpop-proof.js';
import { ExactRevocations } from '../../packages/guard/src/exact-revocations.js';
import { MisaddressedTokens } from '../../packages/guard/src/misaddressed.js';
import { ProvenTokens } from '../../packages/guard/src/proven-tokens.js';
import { QuestionQueue } from '../../packages/guard/src/question-queue.js';
import { ENTRIES_MOST, RevocationSet } from '../../packages/guard/src/revocation-set.js';
import { VerdictCache } from '../../packages/guard/src/verdict-cache.js';
import { IN_MEMORY, TABLES } from '../support/growth.js';
import { networkOf } from '../../src/http/network.js';
import { addClient, BY_OPERATOR, secretPost, submit, type TestClient } from '../support/oauth.js';
import { answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { PASSWORD, post, request, startTestApp, type TestApp } from '../support/test-app.js';

let keks: TestApp;
beforeAll(async () => {
  keks = await startTestApp({
    TRUST_PROXY: '127.0.0.1',
    LOG_LEVEL: 'error',
    LEASE_TTL: '60s',
    LOGINS_PER_ACCOUNT: '30',
  });
  for (const name of ['Ann', 'Bea']) await keks.addUser(name);
});
afterAll(() => keks.close());

/** What an object holds of a private field, after a flood. */
function sizeOf(owner: object, field: string): number {
  const held: unknown = Reflect.get(owner, field);
  if (held instanceof Map || held instanceof Set) return held.size;
  if (Array.isArray(held) || ArrayBuffer.isView(held)) return (held as ArrayLike<unknown> & object).length;
  return held === undefined ? 0 : Number.NaN;
}

const times = (count: number, work: (at: number) => unknown): void => {
  for (let at = 0; at < count; at += 1) work(at);
};
const entry = (kind: string, key: string) => ({ kind, key, sub: undefined, exp: 2_000_000_000 });
const never = new Promise<never>(() => undefined);

interface Flood {
  /** Whatever the place is a field of, flooded. */
  readonly make: () => object | Promise<object>;
  readonly most: number;
  /** 0 where all of it has gone again. */
  readonly least?: number;
}

const revocations = (kind: string): Flood => ({
  make: () => {
    const set = new RevocationSet();
    times(ENTRIES_MOST + 10, (at) => set.add(entry(kind, `${at}`)));
    return set;
  },
  most: ENTRIES_MOST,
});

const proven = (): ProvenJwts => {
  const jwts = new ProvenJwts(8);
  times(600, (at) => jwts.add(`${at}`, { verifier: {} } as SigningKeyInMemory));
  return jwts;
};

const provenTokens = (): ProvenTokens<number> => {
  const tokens = new ProvenTokens<number>(100);
  const keys = {};
  times(1_000, (at) => tokens.put(`${at}`, keys, at));
  return tokens;
};

const turns = (): FairTurns<number> => {
  const fair = new FairTurns<number>(64);
  times(5_000, (at) => {
    fair.add({ of: [`account ${at}`, `network ${at}`] }, at);
    if (at % 2 === 0) fair.next();
  });
  return fair;
};

/** By the places of the list that say `flooded`. */
const FLOODS: Readonly<Record<string, Flood>> = {
  'packages/guard/src/exact-revocations.ts#cleared': {
    make: () => {
      const exact = new ExactRevocations('http://127.0.0.1:1', { clientId: 'c', clientSecret: 's' });
      const remember = Reflect.get(exact, 'remember') as (jti: string, position: object) => void;
      times(12_000, (at) => remember.call(exact, `${at}`, {}));
      exact.stop();
      return exact;
    },
    most: 10_000,
  },
  'packages/guard/src/misaddressed.ts#said': {
    make: () => {
      const said = new MisaddressedTokens(() => undefined);
      times(1_000, (at) => said.note([`https://${at}.example`], ['https://here.example']));
      return said;
    },
    most: 100,
  },
  'packages/guard/src/dpop-proof.ts#known': {
    make: () => {
      const reader = new ProofReader();
      const remember = Reflect.get(reader, 'remember') as (head: string, signer: object) => void;
      times(3_000, (at) => remember.call(reader, `${at}`, {}));
      return reader;
    },
    most: 1_000,
  },
  'packages/guard/src/proven-tokens.ts#before': { make: provenTokens, most: 50 },
  'packages/guard/src/proven-tokens.ts#recent': { make: provenTokens, most: 50 },
  'packages/guard/src/question-queue.ts#waiting': {
    make: () => {
      const queue = new QuestionQueue(() => never, { connections: 2, waiting: 50, timeoutMs: 1_000 });
      times(1_000, (at) => void queue.ask(`${at}`).catch(() => undefined));
      return queue;
    },
    most: 50,
  },
  'packages/guard/src/revocation-set.ts#grants': revocations('grant'),
  'packages/guard/src/revocation-set.ts#keys': revocations('key'),
  'packages/guard/src/revocation-set.ts#subjects': revocations('subject'),
  'packages/guard/src/revocation-set.ts#tokens': revocations('token'),
  'packages/guard/src/verdict-cache.ts#kept': {
    make: () => {
      const cache = new VerdictCache({ seconds: 5, entries: 100, now: () => 0 });
      const active = { active: true, principal: { expiresAt: 1_000 } } as never;
      times(1_000, (at) => cache.put(`${at}`, active, 0));
      return cache;
    },
    most: 100,
  },
  'src/auth/api-keys/turns.ts#last': {
    make: async () => {
      const waiting = new Turns(60_000);
      const all = Array.from({ length: 1_000 }, (_, at) =>
        waiting.take(`${at % 100}`, () => Promise.resolve()),
      );
      expect(sizeOf(waiting, 'last')).toBe(100);
      await Promise.all(all);
      return waiting;
    },
    most: 0,
    least: 0,
  },
  'src/auth/audit/repeats.ts#seen': {
    make: () => {
      const repeats = new Repeats<number>();
      times(5_000, (at) => repeats.isFirst({ kind: `kind ${at % 3}`, key: `${at}` }, at, 0));
      return repeats;
    },
    most: 3 * OWN_MOST + 3,
  },
  'src/auth/grants/last-use.ts#seen': {
    make: async () => {
      const database = keks.app.get(Database);
      const uses = new LastUse(
        { open: true, run: () => Promise.reject(new Error('away')) } as unknown as typeof database,
        keks.clock,
      );
      times(120_000, () => uses.note(randomUUID()));
      const flushed = uses.flush();
      times(20_000, () => uses.note(randomUUID()));
      await flushed;
      return uses;
    },
    most: 100_000,
  },
  'src/auth/grants/recent-use.ts#places': {
    make: () => {
      const recent = new RecentUse(50);
      times(300_000, () => recent.isNew(randomUUID(), 1_000));
      return recent;
    },
    most: 3 * 2 ** 18,
  },
  'src/auth/leases/open-polls.ts#polls': { make: () => openPolls(), most: 2_000 },
  'src/auth/leases/lease-holders.ts#holders': {
    make: async () => Reflect.get(await guards(), 'holders') as LeaseHolders,
    most: 1_000,
  },
  'src/auth/leases/publication.ts#open': {
    make: () => {
      const publication = new Publication(new LeaseHolders(), () => undefined);
      times(3, (turn) =>
        publication.add(Array.from({ length: 10_000 }, (_, at) => BigInt(turn * 10_000 + at))),
      );
      return publication;
    },
    most: 10_000,
  },
  'src/auth/leases/recent-revocations.ts#answers': {
    make: () => {
      const log = new RecentRevocations('a place', Snapshot.NOTHING, 10);
      times(1_000, (at) => log.after(Snapshot.parse(`${at + 2}:${at + 2}:`) ?? Snapshot.NOTHING));
      return log;
    },
    most: 100,
  },
  'src/auth/leases/recent-revocations.ts#finds': {
    make: () => {
      const log = new RecentRevocations('a place', Snapshot.NOTHING, 10_000);
      const row = { xid: '7', kind: 'token', value: 'x', subject: null, expires_at: 1 } as never;
      times(12_000, () => log.add([row], Snapshot.NOTHING));
      return log;
    },
    most: 10_000,
  },
  'src/auth/tokens/jwt/proven-jwts.ts#keyAt': { make: proven, most: 8 * 4 },
  'src/auth/tokens/jwt/proven-jwts.ts#keys': { make: proven, most: 255 },
  'src/auth/tokens/jwt/proven-jwts.ts#next': { make: proven, most: 8 },
  'src/auth/tokens/jwt/proven-jwts.ts#texts': { make: proven, most: 8 * 4 * 4 },
  'src/auth/users/fair-turns.ts#before': { make: turns, most: 2 * 256 },
  'src/auth/users/fair-turns.ts#had': { make: turns, most: 2 * 256 },
  'src/auth/users/fair-turns.ts#waiting': { make: turns, most: 64 },
  'src/auth/users/password-hash.ts#warned': {
    make: async () => {
      const hash = keks.app.get(PasswordHash);
      const stored = `$2b$04$${'a'.repeat(53)}`;
      for (let at = 0; at < 50; at += 1)
        await hash.matches('x', `keks1$${at.toString(16).padStart(8, '0')}$${stored}`);
      return hash;
    },
    most: 16,
  },
  'src/database/hot/micro-batch.ts#waiting': {
    make: () => {
      const batch = new MicroBatch(() => never, { name: 'flood', size: 4, flights: 1, queue: 50 });
      times(1_000, () => void batch.ask(1).catch(() => undefined));
      return batch;
    },
    most: 50,
  },
  'src/database/recent-endings.ts#kept': {
    make: () => {
      const endings = new RecentEndings();
      times(120_000, () => endings.note({ name: 'end', text: 'SELECT', again: 'same' }, [], 1));
      return endings;
    },
    most: 55_000,
  },
  'src/http/refusal-log.ts#told': {
    make: () => {
      const log = new RefusalLog(pino({}, new Writable({ write: (_c, _e, done) => done() })));
      times(3_000, (at) => {
        const request = { clientAddress: `10.0.${at >> 8}.${at & 255}`, id: 'x', routeOptions: {} };
        log.note(request as never, 401, ['invalid_token', 'invalid_client', 'unauthorized'][at % 3] ?? '');
      });
      return log;
    },
    most: 103,
  },
  'src/ops/http-traffic.ts#routes': { make: () => strays(), most: Number.NaN },
  'src/ops/http-traffic.ts#strays': { make: () => strays(), most: 8 },
};

let traffic: Promise<HttpTraffic> | undefined;
let routesBefore = 0;

/** Paths and methods that nobody has: no counter comes of them. */
function strays(): Promise<HttpTraffic> {
  return (traffic ??= (async () => {
    const counted = keks.app.get(HttpTraffic);
    routesBefore = sizeOf(counted, 'routes');
    for (let at = 0; at < 60; at += 1)
      await request(keks.url, `/${randomUUID()}`, { method: ['GET', 'PROPFIND', 'DELETE'][at % 3] ?? 'GET' });
    return counted;
  })());
}

const ask = (leases: GuardLeases, guard: string): Promise<News | undefined> => {
  const from = { place: 'nowhere', snapshot: Snapshot.NOTHING };
  return leases.ask({ guard, from, proof: undefined }, new AbortController().signal);
};

const openPolls = async (): Promise<object> => Reflect.get(await guards(), 'polls') as object;

let flooded: Promise<GuardLeases> | undefined;

/** More guards than there may be, and then the same ones again and again, before anybody has an answer. */
function guards(): Promise<GuardLeases> {
  return (flooded ??= (async () => {
    const leases = keks.app.get(GuardLeases);
    const asked: Promise<unknown>[] = [];
    let refused = 0;
    const tryToAsk = (guard: string): void => {
      try {
        asked.push(ask(leases, guard).catch(() => undefined));
      } catch {
        refused += 1;
      }
    };
    times(1_200, (at) => tryToAsk(`guard ${at}`));
    expect(refused).toBe(200);
    await Promise.all(asked);
    times(3_000, (at) => tryToAsk(`guard ${at % 1_000}`));
    expect(refused).toBe(1_200);
    expect(sizeOf(Reflect.get(leases, 'polls') as object, 'polls')).toBe(2_000);
    return leases;
  })());
}

// before the flood of guards, for whom everything that ends would wait
describe('rows that requests can make', () => {
  const count = async (from: string): Promise<number> => {
    const { rows } = await keks.database.client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${from}`,
    );
    return rows[0]?.n ?? -1;
  };

  const goers = Object.entries(TABLES).flatMap(([table, rows]) => ('goes' in rows ? [table] : []));

  it('are of tables on the list, each and no others', async () => {
    const { rows } = await keks.database.client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(TABLES).sort());
  });

  it('clients that are refused, from however many networks: so many rows a minute and a count, and so many counters', async () => {
    keks.clock.freeze();
    await keks.database.client.query('DELETE FROM audit_events');
    const refused = (at: number) =>
      submit(
        keks.url,
        '/oauth/introspect',
        { token: 'x', client_id: 'c-1', client_secret: 'kcs_wrong' },
        { 'x-forwarded-for': `10.9.${at >> 8}.${at & 255}` },
      );
    for (let from = 0; from < 400; from += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => refused(from + at)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    }
    expect(await count(`audit_events WHERE type = 'client.refused'`)).toBe(OWN_MOST + 1);
    keks.clock.advance(61);
    await keks.app.get(Refusals).flush();
    const { rows } = await keks.database.client.query(
      `SELECT actor, ip, detail FROM audit_events WHERE detail ? 'others'`,
    );
    expect(rows).toEqual([
      { actor: null, ip: null, detail: { reason: 'invalid_client', others: 400 - OWN_MOST - 1 } },
    ]);
    const places = Array.from({ length: 200_000 }, (_, at) =>
      placeOf(networkOf(`2001:db8:${at.toString(16)}::1`)),
    );
    expect(Math.max(...places.slice(0, 50_000))).toBeLessThan(COUNTED);
    expect(new Set(places).size).toBeLessThanOrEqual(COUNTED);
  });

  it('a used code, however often it is shown: one row that it was stolen, one that it was refused, and a count', async () => {
    await keks.database.client.query('DELETE FROM audit_events');
    const { visitor, path, verifier } = await askedBy('Bea');
    const shown = await visitor.open(path);
    const { code = '' } = answerOf(await visitor.submit(shown, 'consent', { decision: 'allow' }));
    const exchange = () =>
      submit(keks.url, '/oauth/token', {
        grant_type: 'authorization_code',
        client_id: app,
        redirect_uri: DONE,
        code,
        code_verifier: verifier,
      });
    expect((await exchange()).status).toBe(200);
    for (let at = 0; at < 50; at += 1) expect((await exchange()).status).toBe(400);
    expect(await count(`audit_events WHERE type = 'code.replayed'`)).toBe(1);
    expect(await count(`audit_events WHERE type = 'token.refused'`)).toBe(1);
    keks.clock.advance(61);
    await keks.app.get(Refusals).flush();
    expect(await count(`audit_events WHERE detail->>'repeated' = '49'`)).toBe(1);
  });

  it('consents of one account: as many in a window as logins, then 429 and no row, and nobody else notices', async () => {
    const { visitor, path } = await askedBy('Bea');
    const allow = async (): Promise<number> => {
      const shown = await visitor.open(path);
      return (await visitor.submit(shown, 'consent', { decision: 'allow' })).status;
    };
    for (let at = 1; at < 30; at += 1) expect(await allow()).toBe(303);
    const before = await count(`grants WHERE kind = 'consent'`);
    expect([await allow(), await count(`grants WHERE kind = 'consent'`)]).toEqual([429, before]);
    const other = await askedBy('Ann');
    const shown = await other.visitor.open(other.path);
    expect((await other.visitor.submit(shown, 'consent', { decision: 'allow' })).status).toBe(303);
    keks.clock.advance(15 * 60 + 1);
    expect(await allow()).toBe(303);
  });

  it('whatever came of logins, keys, consents, tokens, their ends and refusals is gone when its time is over', async () => {
    const client = await addClient(keks);
    await everything(client);
    const left: Record<string, number> = {};
    keks.clock.advance(11 * 366 * 86_400);
    const maintenance = keks.app.get(Maintenance);
    await maintenance.purge();
    await maintenance.purge();
    // by the database's own time: test/database/least-rights.e2e-spec.ts
    const goes = goers.filter((table) => table !== 'audit_events');
    for (const table of goes) left[table] = await count(table);
    // a client's standing one stays, and it has no other
    expect(left).toEqual({ ...Object.fromEntries(goes.map((table) => [table, 0])), grants: 1 });
    expect(await count(`grants WHERE kind = 'client'`)).toBe(1);
  });

  it('what was to live for years and was ended is gone as soon as its refresh tokens are', async () => {
    const token = await keks.login('Ann', 'keks:account cookies:eat');
    const { body } = await post(
      keks.url,
      '/keys',
      { label: 'ten years', password: PASSWORD, expires_in: 10 * 365 * 86_400 },
      { authorization: `Bearer ${token}` },
    );
    const { id } = body as { id: string };
    const ended = await request(keks.url, `/keys/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(ended.status).toBe(204);
    keks.clock.advance(29 * 86_400);
    await keks.app.get(Maintenance).purge();
    expect(await count(`grants WHERE id = '${id}'`)).toBe(1);
    keks.clock.advance(2 * 86_400);
    await keks.app.get(Maintenance).purge();
    expect([
      await count(`grants WHERE id = '${id}'`),
      await count(`api_keys WHERE grant_id = '${id}'`),
    ]).toEqual([0, 0]);
  });

  const DONE = 'https://app.example/done';
  let app = '';

  async function askedBy(user: string): Promise<{ visitor: Visitor; path: string; verifier: string }> {
    if (app === '') {
      const made = { name: 'App', scope: ['cookies:eat'], audience: [], resources: [], redirectUris: [DONE] };
      app = (await keks.app.get(ClientsService).addPublic({ ...made, tokenFormat: 'opaque' }, BY_OPERATOR))
        .clientId;
    }
    const { verifier, challenge } = pkce();
    const path = authorizePath({ client_id: app, redirect_uri: DONE, code_challenge: challenge });
    const visitor = new Visitor(keks.url);
    await visitor.signIn(await visitor.open(path), user);
    return { visitor, path, verifier };
  }

  async function everything(client: TestClient): Promise<void> {
    const { client: db } = keks.database;
    const token = await keks.login('Ann', 'keks:account cookies:eat');
    const headers = { authorization: `Bearer ${token}` };
    const made = await post(keks.url, '/keys', { label: 'key', password: PASSWORD }, headers);
    expect(made.status).toBe(201);
    await post(keks.url, '/issue', { user: 'Ann', password: 'wrong password' });
    const login = await post(keks.url, '/issue', {
      user: 'Ann',
      password: PASSWORD,
      scope: 'offline_access',
    });
    const { refresh_token: refresh = '' } = login.body as Record<string, string>;
    const fields = { grant_type: 'refresh_token', refresh_token: refresh };
    expect((await submit(keks.url, '/oauth/token', fields)).status).toBe(200);
    const ofClient = { grant_type: 'client_credentials', ...secretPost(client) };
    const issued = await submit(keks.url, '/oauth/token', ofClient);
    await post(keks.url, '/revoke', { token: (issued.body as { access_token: string }).access_token });
    await post(keks.url, '/revoke', { token: refresh });
    const signed = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
    await post(keks.url, '/revoke', { token: (signed.body as { token: string }).token });
    expect((await submit(keks.url, '/oauth/token', fields)).status).toBe(400);
    await db.query(
      `INSERT INTO authorization_codes (digest, expires_at, grant_id, client_id, redirect_uri, code_challenge, audience, offline)
       VALUES ($1, now(), $2, $3, 'http://127.0.0.1/', 'x', 'x', false)`,
      [randomBytes(32), randomUUID(), client.clientId],
    );
    await db.query('INSERT INTO client_assertions (digest, expires_at) VALUES ($1, now())', [
      randomBytes(32),
    ]);
    await db.query(
      `INSERT INTO device_codes (digest, user_code, expires_at, client_id, scope, audience, offline, network, pause)
       VALUES ($1, $1, now(), $2, 'x', 'x', false, 'x', 5)`,
      [randomBytes(32), client.clientId],
    );
    await db.query(
      `INSERT INTO pushed_requests (digest, expires_at, client_id, network, parameters) VALUES ($1, now(), $2, 'x', 'x')`,
      [randomBytes(32), client.clientId],
    );
    await db.query(
      `INSERT INTO token_exchanges (digest, expires_at, subject, signed, actors, actor_grants, sources, source_expires)
       VALUES ($1, now(), 'x', false, '{}', '{}', '{}', '{}')`,
      [randomBytes(32)],
    );
    await db.query('INSERT INTO used_proofs (digest, expires_at) VALUES ($1, now())', [randomBytes(32)]);
    for (const table of goers.filter((one) => one !== 'owner_endings'))
      expect([table, (await count(table)) > 0]).toEqual([table, true]);
  }
});

describe('memory that requests can make grow', () => {
  it('has a flood for each place on the list', () => {
    const places = Object.entries(IN_MEMORY).filter(([, bound]) => 'flooded' in bound);
    expect(Object.keys(FLOODS).sort()).toEqual(places.map(([place]) => place).sort());
  });

  it.each(Object.entries(FLOODS))('%s is bounded', async (place, { make, most, least = 1 }) => {
    const size = sizeOf(await make(), place.split('#')[1] ?? '');
    expect(size).toBeLessThanOrEqual(Number.isNaN(most) ? routesBefore : most);
    expect(size).toBeGreaterThanOrEqual(least);
  });

  it('the lane of logins asks no more of it than one flood allows', () => {
    expect(keks.app.get(LoginLane).waiting).toBe(0);
  });

  it('of a guard that has been told of too much, nobody is let in who was taken back', () => {
    const names = { jti: 'j', sub: 's', kid: 'k', sid: 'g', exp: 2_000_000_000 };
    const set = new RevocationSet();
    set.add(entry('token', 'j'));
    times(ENTRIES_MOST, (at) => set.add(entry('token', `${at}`)));
    expect(set.judge(names, 1)).toBe('unknown');
    const cleared = set.now;
    expect(set.judge(names, cleared)).toBe('not named');
    set.add(entry('token', 'j'));
    expect(set.judge(names, cleared)).toBe('dead');
  });
});
