import { JwtValidator } from 'keks-guard/jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import {
  addClient,
  basic,
  refresh,
  stayLoggedIn,
  submit,
  type Login,
  type TestClient,
} from '../support/oauth.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import {
  environment,
  get,
  PATIENTLY,
  PASSWORD,
  PATIENT_MS,
  post,
  startTestApp,
} from '../support/test-app.js';

const HOUR = 3_600_000;
const ISSUER = 'http://127.0.0.1:3000';
/** Seconds: much less than the clocks are off. */
const TTL = 4;
const REFRESH_TTL = 600;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('two servers whose wall clocks are an hour fast and an hour slow', () => {
  let database: TestDatabase;
  let client: TestClient;
  let servers: ServerProcess[];

  beforeAll(async () => {
    database = await createDatabase();
    const keks = await startTestApp({}, { ...database, close: async () => undefined });
    await keks.addUser('Ann');
    client = await addClient(keks);
    await keks.close();
    servers = await Promise.all([HOUR, -HOUR].map(start));
  });

  afterAll(async () => {
    await Promise.all(servers.map((one) => one.stop()));
    await database.close();
  });

  function start(off: number): Promise<ServerProcess> {
    const wrong = new URL(`../support/wrong-clock.mjs?${off}`, import.meta.url).href;
    const ttl = {
      ACCESS_TOKEN_TTL: `${TTL}s`,
      REFRESH_TOKEN_TTL: `${REFRESH_TTL}s`,
      REFRESH_GRACE_PERIOD: '60s',
    };
    return startProcess(
      environment(database.url, { ...ttl, NODE_OPTIONS: `--import=${wrong}`, LOG_LEVEL: 'debug' }),
    );
  }

  const verdicts = (token: string): Promise<number[]> =>
    Promise.all(servers.map(async ({ url }) => (await get(url, '/cookies', token)).status));

  /** By the first server and by the second. */
  const both = async <T>(ask: (server: ServerProcess, other: ServerProcess) => Promise<T>): Promise<T[]> => [
    await ask(servers[0]!, servers[1]!),
    await ask(servers[1]!, servers[0]!),
  ];

  it('really have wrong clocks: their logs say so', () => {
    const times = servers.map((one) => Number(/"time":(\d+)/.exec(one.output())?.[1]));
    expect(times.map((time) => Math.round((time - Date.now()) / HOUR))).toEqual([1, -1]);
  });

  it('tokens of either live as long as they should, on both, and no longer', async () => {
    const tokens: string[] = [];
    const isAlive = async (url: string, format: string): Promise<number[]> => {
      const began = performance.now();
      const answer = await post(url, '/issue', { user: 'Ann', password: PASSWORD, format });
      expect(answer.body).toMatchObject({ expires_in: TTL });
      const { token } = answer.body as { token: string };
      const seen = await verdicts(token);
      // a slow machine may have taken all of its life for this
      if (performance.now() - began > (TTL - 1) * 1_000) return [];
      tokens.push(token);
      return seen;
    };
    for (const { url } of servers)
      for (const format of ['opaque', 'jwt'])
        await expect.poll(async () => (await isAlive(url, format)).join(), PATIENTLY).toBe('200,200');
    await sleep(TTL * 1_000);
    for (const token of tokens) expect(await verdicts(token)).toEqual([401, 401]);
  });

  it('say in introspection and in JWTs what time it is by the clock of the database', async () => {
    const now = Date.now() / 1_000;
    for (const { url } of servers) {
      const issued = await submit(url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client));
      const { access_token: token } = issued.body as { access_token: string };
      const { body } = await submit(url, '/oauth/introspect', { token }, basic(client));
      const { iat, exp } = body as { iat: number; exp: number };
      expect(Math.abs(iat - now)).toBeLessThan(10);
      // it was written a moment after its end had been decided
      expect(exp - iat).toBeLessThanOrEqual(TTL);
      expect(exp - iat).toBeGreaterThan(0);
    }
  });

  it('refresh what the other has issued, and give the same successor within the grace period', async () => {
    await both(async (one, other) => {
      const { refresh_token, refresh_expires_in }: Login = await stayLoggedIn(one, 'Ann');
      expect(refresh_expires_in).toBe(REFRESH_TTL);
      const first = await refresh(other, refresh_token);
      const second = await refresh(one, refresh_token);
      expect([first.status, second.status]).toEqual([200, 200]);
      expect((second.body as { refresh_token: string }).refresh_token).toBe(
        (first.body as { refresh_token: string }).refresh_token,
      );
    });
  });

  describe('and an API that checks JWTs offline, by the clock of its own machine', () => {
    /** What such an API says of a fresh token when its clock is off by so many seconds. */
    async function verdict(offBy: number): Promise<string> {
      const { url } = servers[0]!;
      const issued = await post(url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
      const validator = new JwtValidator({
        issuer: ISSUER,
        audience: ISSUER,
        jwksUri: `${url}/.well-known/jwks.json`,
        now: () => Date.now() + offBy * 1_000,
        timeoutMs: PATIENT_MS,
      });
      const said = await validator.validate((issued.body as { token: string }).token);
      return said.active ? 'active' : said.reason;
    }

    it.each([
      ['right', 0, 'active'],
      ['an hour fast: it takes fresh tokens for expired', 3_600, 'expired'],
      ['a little slow, as the clocks of machines are', -30, 'active'],
      ['an hour slow: it takes fresh tokens for those of the future', -3_600, 'forged'],
    ])('%s', async (_, offBy, said) => {
      expect(await verdict(offBy)).toBe(said);
    });

    it('a minute slow: it takes an expired token for as long as it is slow, and no longer', async () => {
      const { url } = servers[1]!;
      const issued = await post(url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
      const { token } = issued.body as { token: string };
      const slow = (later: number) =>
        new JwtValidator({
          issuer: ISSUER,
          audience: ISSUER,
          jwksUri: `${url}/.well-known/jwks.json`,
          now: () => Date.now() + (later - 55) * 1_000,
          timeoutMs: PATIENT_MS,
        }).validate(token);
      expect((await slow(TTL + 50)).active).toBe(true);
      expect((await slow(TTL + 56)).active).toBe(false);
    });
  });
});
