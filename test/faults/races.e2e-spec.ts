import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { JwtSigner } from '../../src/auth/tokens/jwt/jwt-signer.js';
import { KeyRing } from '../../src/auth/keys/key-ring.js';
import { SigningKeys } from '../../src/auth/keys/signing-keys.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { connectionOf } from '../../src/database/pools.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { headerOf } from '../support/forge.js';
import { startInstance, type Instance } from '../support/instance.js';
import { untilWaiting } from '../support/locks.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  basic,
  BY_OPERATOR,
  isAlive,
  issued,
  refresh,
  stayLoggedIn,
  submit,
  type Login,
  type TestClient,
} from '../support/oauth.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { environment, get, PASSWORD, post, type Answer } from '../support/test-app.js';
import { send } from '../support/wire.js';

/**
 * Two server processes over one database, and many requests at once. What wins is not for us to say: what must hold
 * afterwards is. 503 is an answer that nobody wants, but an honest one, and the caller tries again; 500 never is.
 */

/** Of a random search; the long form is `RACE_ROUNDS=60`. Most of the races that it may find are made on purpose as well: see `hold`. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 10);
/** Of a search whose rounds are longer: other people, other moments. */
const SOME = Math.max(5, Math.round(ROUNDS / 4));
const AT_ONCE = 50;

let database: TestDatabase;
let operator: Instance;
let servers: [ServerProcess, ServerProcess];
/** Of all answers, how many had which status. */
const seen: Record<number, number> = {};

const at = (n: number): ServerProcess => servers[n % 2 === 0 ? 0 : 1];

/** Asks again, as a client does, as long as the answer is 503; fails for any other 5xx. */
async function insist(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    seen[answer.status] = (seen[answer.status] ?? 0) + 1;
    if (answer.status !== 503 || attempt === 20) {
      if (answer.status >= 500) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** All at once, on both servers; `meanwhile` begins as soon as `after` of them have been answered. */
async function storm(
  count: number,
  ask: (server: ServerProcess, n: number) => Promise<Answer>,
  {
    after = 0,
    meanwhile = async () => undefined,
  }: { after?: number; meanwhile?: () => Promise<unknown> } = {},
): Promise<Answer[]> {
  let answered = 0;
  const gate = new EventEmitter();
  const begun = after === 0 ? Promise.resolve() : once(gate, 'open');
  const asking = range(count).map((n) =>
    insist(() => ask(at(n), n)).finally(() => {
      answered += 1;
      if (answered === after) gate.emit('open');
    }),
  );
  const [answers] = await Promise.all([Promise.all(asking), begun.then(meanwhile)]);
  return answers;
}

/**
 * A race that is made: whoever is `first` comes to a row that the test has locked and waits there, so many statements at
 * once; then the `second` comes, until it waits as well or is done; then the row is let go.
 */
function hold(lock: string, key: unknown) {
  return async <A, B>(
    first: () => Promise<A>,
    waiters: number,
    second: () => Promise<B>,
  ): Promise<[A, B]> => {
    const holder = new Client(connectionOf(database.url));
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query(lock, [key]);
      const one = first();
      await untilWaiting(database, waiters);
      const two = second();
      await untilWaiting(database, waiters + 1, two);
      await holder.query('COMMIT');
      return await Promise.all([one, two]);
    } finally {
      await holder.end();
    }
  };
}

const login = (n = 0): Promise<Login> => stayLoggedIn(at(n), 'Ann');
const ok = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status === 200);

/** Every token, asked of both servers. */
async function living(tokens: readonly string[]): Promise<string[]> {
  const verdicts = await Promise.all(
    tokens.map(async (token) => (await isAlive(at(0), token)) || (await isAlive(at(1), token))),
  );
  return tokens.filter((_, n) => verdicts[n]);
}

async function livingGrantsOf(column: 'client_id' | 'user_id', id: string): Promise<number> {
  const { rows } = await database.client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM grants WHERE ${column} = $1 AND revoked_at IS NULL`,
    [id],
  );
  return rows[0]?.n ?? -1;
}

async function grantOf(refreshToken: string): Promise<string> {
  const { rows } = await database.client.query<{ grant_id: string }>(
    'SELECT grant_id FROM refresh_tokens WHERE digest = $1',
    [createHash('sha256').update(refreshToken).digest()],
  );
  return rows[0]?.grant_id ?? '';
}

const deleteSession = async ({ url }: ServerProcess, { token, refresh_token }: Login): Promise<Answer> =>
  send(url, 'DELETE', `/sessions/${await grantOf(refresh_token)}`, token);

const issueJwt = ({ url }: ServerProcess): Promise<Answer> =>
  post(url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });

const jwksOf = async ({ url }: ServerProcess): Promise<JSONWebKeySet> =>
  (await get(url, '/.well-known/jwks.json')).body as JSONWebKeySet;

const addClient = (): Promise<TestClient> =>
  operator
    .get(ClientsService)
    .add(
      { name: 'oven', scope: ['cookies:eat'], audience: [], resources: [], tokenFormat: 'opaque' },
      BY_OPERATOR,
    );

const clientCredentials = (server: ServerProcess, client: TestClient): Promise<Answer> =>
  submit(server.url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client));

const accessTokens = (answers: readonly Answer[]): string[] =>
  ok(answers).map((answer) => issued(answer).access_token);

/** A new key, which signs at once, though not every server has read it: worse than what the publish wait allows. */
async function rotate(): Promise<void> {
  await operator.get(SigningKeys).rotate(BY_OPERATOR);
  await database.client.query('UPDATE signing_keys SET signs_from = now() WHERE signs_from > now()');
  await operator.get(KeyRing).reload();
  const iat = Math.floor(Date.now() / 1_000) - 1;
  const claims = { sub: 's', client_id: 'c', aud: 'a', scope: '', iat, exp: iat + 60 };
  // signed by the new key, and issued to nobody: the servers read their keys anew, and refuse it
  const { token } = await operator.get(JwtSigner).sign(claims);
  for (const server of servers) expect(await isAlive(server, token)).toBe(false);
}

beforeAll(async () => {
  database = await createDatabase();
  operator = await startInstance(database.url, new ManualClock());
  const settings = environment(database.url, { LOG_LEVEL: 'info', SIGNING_KEY_PUBLISH: '60' });
  servers = await Promise.all([startProcess(settings), startProcess(settings)]);
  await operator.get(UsersService).addUnchecked('Ann', PASSWORD, ['cookies:eat'], OPERATOR);
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await operator.close();
  await database.close();
  process.stdout.write(`  answers of all races, by status: ${JSON.stringify(seen)}\n`);
});

describe('one refresh token, used by many at once on two servers', () => {
  it(`${ROUNDS} rounds of ${AT_ONCE}: one successor each, a living token for everybody, one lineage in all`, async () => {
    let { refresh_token: token } = await login();
    for (const round of range(ROUNDS)) {
      const used = token;
      const answers = await storm(AT_ONCE, (server) => refresh(server, used));
      expect([round, ok(answers).length]).toEqual([round, AT_ONCE]);
      const successors = new Set(answers.map((answer) => issued(answer).refresh_token ?? ''));
      expect([round, successors.size]).toEqual([round, 1]);
      [token = ''] = successors;
      const [sample = ''] = accessTokens(answers).slice(round % AT_ONCE);
      expect(await living([sample])).toEqual([sample]);
    }
    const { rows } = await database.client.query(
      `SELECT count(*)::int AS tokens, count(*) FILTER (WHERE used_at IS NULL)::int AS unused,
              bool_and(revoked_at IS NULL) AS alive
         FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id WHERE grant_id = $1`,
      [await grantOf(token)],
    );
    expect(rows).toEqual([{ tokens: ROUNDS + 1, unused: 1, alive: true }]);
  }, 600_000);

  it('used again by a thief while its owner goes on: whoever is first, the login is dead in the end', async () => {
    for (const round of range(SOME)) {
      const { token: access, refresh_token: stolen } = await login(round);
      const { refresh_token: next = '' } = issued(await insist(() => refresh(at(round), stolen)));
      const { refresh_token: newest = '' } = issued(await insist(() => refresh(at(round + 1), next)));
      const answers = await storm(20, (server, n) => refresh(server, n % 4 < 2 ? stolen : newest));
      const tokens = [access, ...accessTokens(answers)];
      expect(await living(tokens)).toEqual([]);
      for (const token of [stolen, next, newest]) expect((await refresh(at(round), token)).status).toBe(400);
    }
  });
});

describe('refresh against revocation: everything of the family is dead', () => {
  const revocations: [string, (server: ServerProcess, login: Login) => Promise<Answer>][] = [
    [
      'POST /revoke with the refresh token',
      ({ url }, { refresh_token: token }) => post(url, '/revoke', { token }),
    ],
    ['DELETE /sessions/:id', deleteSession],
  ];

  it.each(revocations)('%s', async (_, revoke) => {
    for (const round of range(SOME)) {
      const family = await login(round);
      const { refresh_token: other = '' } = await login(round);
      const answers = await storm(12, (server) => refresh(server, family.refresh_token), {
        after: Math.floor((round * 12) / SOME),
        meanwhile: async () => {
          const { status } = await insist(() => revoke(at(round), family));
          // 401: a first attempt that was answered 503 has done it
          expect([200, 204, 401]).toContain(status);
        },
      });
      const won = ok(answers);
      for (const answer of answers) expect([200, 400]).toContain(answer.status);
      expect(await living([family.token, ...accessTokens(answers)])).toEqual([]);
      const refreshTokens = new Set([
        family.refresh_token,
        ...won.map((one) => issued(one).refresh_token ?? ''),
      ]);
      expect(refreshTokens.size).toBeLessThanOrEqual(2);
      for (const token of refreshTokens) expect((await refresh(at(round + 1), token)).status).toBe(400);
      expect((await insist(() => refresh(at(round), other))).status).toBe(200);
    }
  });

  it.each(revocations)('%s, while refreshes wait for their token', async (_, revoke) => {
    const family = await login();
    const digest = createHash('sha256').update(family.refresh_token).digest();
    const held = hold('SELECT FROM refresh_tokens WHERE digest = $1 FOR UPDATE', digest);
    const refreshes = () => storm(8, (server) => refresh(server, family.refresh_token));
    const [answers, revoked] = await held(refreshes, 8, () => revoke(at(1), family));
    expect([200, 204]).toContain(revoked.status);
    for (const { status } of answers) expect([200, 400]).toContain(status);
    expect(await living([family.token, ...accessTokens(answers)])).toEqual([]);
    for (const answer of ok(answers))
      expect((await refresh(at(0), issued(answer).refresh_token ?? '')).status).toBe(400);
  });

  it.each(revocations)('%s, and refreshes that come while it waits', async (_, revoke) => {
    const family = await login();
    const held = hold('SELECT FROM grants WHERE id = $1 FOR UPDATE', await grantOf(family.refresh_token));
    const refreshes = () => storm(8, (server) => refresh(server, family.refresh_token));
    const [revoked, answers] = await held(() => revoke(at(1), family), 1, refreshes);
    expect([200, 204]).toContain(revoked.status);
    for (const { status } of answers) expect([200, 400]).toContain(status);
    expect(await living([family.token, ...accessTokens(answers)])).toEqual([]);
    for (const answer of ok(answers))
      expect((await refresh(at(0), issued(answer).refresh_token ?? '')).status).toBe(400);
  });
});

describe("all of somebody's at once", () => {
  it('a user is disabled against 60 logins: nothing is alive afterwards', async () => {
    const users = operator.get(UsersService);
    const added = await users.addUnchecked('Ben', PASSWORD, ['cookies:eat'], OPERATOR);
    if (!('added' in added)) throw new Error(added.flaw);
    for (const round of range(SOME)) {
      const answers = await storm(
        60,
        ({ url }) => post(url, '/issue', { user: 'Ben', password: PASSWORD, scope: 'offline_access' }),
        {
          after: 1 + Math.floor((round * 50) / SOME),
          meanwhile: () => users.setDisabled('Ben', true, OPERATOR),
        },
      );
      for (const { status } of answers) expect([200, 401]).toContain(status);
      const won = ok(answers).map(({ body }) => body as Login);
      expect(won.length).toBeGreaterThan(0);
      expect(await living(won.map(({ token }) => token))).toEqual([]);
      expect(await livingGrantsOf('user_id', added.added.id)).toBe(0);
      const [sample] = won.slice(-1);
      expect((await refresh(at(round), sample?.refresh_token ?? '')).status).toBe(400);
      await users.setDisabled('Ben', false, OPERATOR);
    }
  });

  it.each(['logins wait', 'it waits'] as const)('a user is disabled while %s for the row', async (who) => {
    const users = operator.get(UsersService);
    const name = `Cat ${who}`;
    const added = await users.addUnchecked(name, PASSWORD, ['cookies:eat'], OPERATOR);
    if (!('added' in added)) throw new Error(added.flaw);
    const held = hold('SELECT FROM users WHERE id = $1 FOR UPDATE', added.added.id);
    const logins = () => storm(6, ({ url }) => post(url, '/issue', { user: name, password: PASSWORD }));
    const disable = () => users.setDisabled(name, true, OPERATOR);
    const answers =
      who === 'logins wait' ? (await held(logins, 2, disable))[0] : (await held(disable, 1, logins))[1];
    for (const { status } of answers) expect([200, 401]).toContain(status);
    const tokens = ok(answers).map(({ body }) => (body as Login).token);
    expect(await living(tokens)).toEqual([]);
    expect(await livingGrantsOf('user_id', added.added.id)).toBe(0);
  });

  it.each(['requests wait', 'it waits'] as const)(
    'a client is disabled while %s for the row',
    async (who) => {
      const clients = operator.get(ClientsService);
      const client = await addClient();
      const held = hold('SELECT FROM clients WHERE client_id = $1 FOR UPDATE', client.clientId);
      const requests = () => storm(20, (server) => clientCredentials(server, client));
      const disable = () => clients.change(client.clientId, { disabled: true }, BY_OPERATOR);
      const answers =
        who === 'requests wait'
          ? (await held(requests, 2, disable))[0]
          : (await held(disable, 1, requests))[1];
      for (const { status } of answers) expect([200, 401]).toContain(status);
      expect(await living(accessTokens(answers))).toEqual([]);
      expect(await livingGrantsOf('client_id', client.clientId)).toBe(0);
    },
  );

  it('a client is disabled against 60 requests for tokens: nothing is alive afterwards', async () => {
    const clients = operator.get(ClientsService);
    for (const round of range(SOME)) {
      const client = await addClient();
      const answers = await storm(60, (server) => clientCredentials(server, client), {
        after: 1 + Math.floor((round * 50) / SOME),
        meanwhile: () => clients.change(client.clientId, { disabled: true }, BY_OPERATOR),
      });
      for (const { status } of answers) expect([200, 401]).toContain(status);
      expect(await living(accessTokens(answers))).toEqual([]);
      expect(await livingGrantsOf('client_id', client.clientId)).toBe(0);
    }
  });

  it("all of a client's tokens are revoked against 60 requests: those of before are dead, those of after alive", async () => {
    const clients = operator.get(ClientsService);
    for (const round of range(SOME)) {
      const client = await addClient();
      const before = issued(await insist(() => clientCredentials(at(round), client))).access_token;
      let revoked = false;
      const late: string[] = [];
      await storm(
        60,
        async (server) => {
          const wasRevoked = revoked;
          const answer = await clientCredentials(server, client);
          if (wasRevoked && answer.status === 200) late.push(issued(answer).access_token);
          return answer;
        },
        {
          after: 10,
          meanwhile: async () => {
            await clients.revokeAll(client.clientId, BY_OPERATOR);
            revoked = true;
          },
        },
      );
      expect(await living([before])).toEqual([]);
      const after = issued(await insist(() => clientCredentials(at(round), client))).access_token;
      expect(await living([...late, after])).toEqual([...late, after]);
      expect(await livingGrantsOf('client_id', client.clientId)).toBe(1);
    }
  });

  it('the first 60 requests of a client make one standing grant, and all tokens live', async () => {
    for (const _ of range(5)) {
      const client = await addClient();
      const answers = await storm(60, (server) => clientCredentials(server, client));
      expect(ok(answers)).toHaveLength(60);
      expect(await livingGrantsOf('client_id', client.clientId)).toBe(1);
      expect(await living(accessTokens(answers))).toHaveLength(60);
    }
  });
});

describe('a secret is retired while it is used', () => {
  it('who asks after it was acknowledged is refused by both servers, who has the new one never', async () => {
    const clients = operator.get(ClientsService);
    for (const round of range(5)) {
      const old = await addClient();
      const added = await clients.addSecret(old.clientId, BY_OPERATOR);
      if ('flaw' in added) throw new Error(added.flaw);
      const fresh = { clientId: old.clientId, clientSecret: added.clientSecret };
      let retired = false;
      const after: number[] = [];
      const waves = async (server: ServerProcess, n: number): Promise<Answer> => {
        if (n % 3 === 0) return clientCredentials(server, fresh);
        let answer = await clientCredentials(server, old);
        for (let wave = 0; wave < 4 && answer.status === 200; wave += 1) {
          const wasRetired = retired;
          answer = await insist(() => clientCredentials(server, old));
          if (wasRetired) after.push(answer.status);
        }
        return answer;
      };
      const answers = await storm(30, waves, {
        after: round,
        meanwhile: async () => {
          expect(await clients.retireSecrets(old.clientId, 'old', BY_OPERATOR)).toBe(1);
          retired = true;
        },
      });
      expect(after.filter((status) => status !== 401)).toEqual([]);
      expect(answers.filter((_, n) => n % 3 === 0).map(({ status }) => status)).toEqual(Array(10).fill(200));
      for (const server of servers) expect((await clientCredentials(server, old)).status).toBe(401);
      expect(await living(accessTokens(answers))).toHaveLength(ok(answers).length);
    }
  });
});

describe('signing keys are rotated while JWTs are issued and checked', () => {
  it('each token is good at once on the other server, all are good in the end, and their keys are published', async () => {
    const tokens: string[] = [];
    for (const _ of range(4)) {
      const answers = await storm(16, (server) => issueJwt(server), { after: 4, meanwhile: rotate });
      const issuedNow = answers.map(({ body }) => (body as { token: string }).token);
      const verdicts = await Promise.all(issuedNow.map((token, n) => isAlive(at(n + 1), token)));
      expect(verdicts).toEqual(Array(16).fill(true));
      tokens.push(...issuedNow);
    }
    expect(await living(tokens)).toEqual(tokens);
    for (const server of servers) {
      const keys = createLocalJWKSet(await jwksOf(server));
      for (const token of tokens) await jwtVerify(token, keys, { typ: 'at+jwt' });
    }
    expect(new Set(tokens.map((token) => headerOf(token)['kid'])).size).toBeGreaterThanOrEqual(3);
  });
});

it('no request has failed in a way that is not in the contract', () => {
  for (const server of servers) {
    const errors = server
      .output()
      .split('\n')
      .filter((line) => line.includes('"level":50') || line.includes('request failed'));
    expect(errors).toEqual([]);
  }
});
