import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { addClient } from '../support/oauth.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { Authority, FAULTS, Guard } from './guards.js';
import { PEOPLE, play, type Outcome } from './guards-run.js';
import { Random } from './random.js';

/** `npm run torture -- --guards` takes minutes. */
const MINUTES = Number(process.env.TORTURE_MINUTES ?? 0.1);
const VALIDATIONS = Number(process.env.TORTURE_VALIDATIONS ?? Infinity);
const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);
/** How long a planted mistake is looked for, which takes a second or two. */
const PATIENCE_MS = 90_000;

describe('guards with leases, in processes of their own', () => {
  let keks: TestApp;
  let database: TestDatabase;
  let servers: readonly Authority[] = [];
  const guards: Guard[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    keks = await startTestApp({}, database);
    for (const person of PEOPLE) await keks.addUser(person);
    const api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
    servers = await Promise.all([Authority.open(database.url), Authority.open(database.url)]);
    for (const server of [servers[0], servers[0], servers[1]])
      if (server) guards.push(await Guard.open(server, api));
  });

  afterAll(async () => {
    for (const part of [...guards, ...servers]) await part.close();
    await keks.close();
  });

  const run = (
    faults: readonly string[],
    isOver: (so: Outcome) => boolean,
    seed = SEED,
  ): Promise<Outcome> => {
    // who wants a million asks as an API does that has many callers
    const [looks, pause] = VALIDATIONS === Infinity ? [4, 20] : [48, 2];
    const plan = { random: new Random(seed), faults, looks, pause, isOver };
    return play({ servers, guards }, database.client, plan);
  };

  it(
    `accept nothing that was revoked, whatever breaks (seed ${SEED})`,
    async () => {
      const began = performance.now();
      const end = began + MINUTES * 60_000;
      const { ...so } = await run(
        Object.keys(FAULTS),
        ({ accepted, refused, revokes }) =>
          (performance.now() > end && accepted > 50 && revokes > 10) || accepted + refused >= VALIDATIONS,
      );
      const seconds = ((performance.now() - began) / 1_000).toFixed();
      const told = `${so.accepted + so.refused} verdicts of ${guards.length} guards in ${seconds} s`;
      process.stdout.write(`  ${told}: ${JSON.stringify(so)} (seed ${SEED})\n`);
      expect([so.stale, so.lost]).toEqual([0, 0]);
      expect(so.revokes).toBeGreaterThan(10);
    },
    MINUTES * 60_000 + 180_000,
  );

  describe('are told from guards with a mistake', { timeout: PATIENCE_MS + 60_000 }, () => {
    async function isFound(faults: readonly string[]): Promise<void> {
      const end = performance.now() + PATIENCE_MS;
      const { stale } = await run(faults, (so) => so.stale > 0 || performance.now() > end);
      expect(stale).toBeGreaterThan(0);
    }

    it.each([
      ['untold-guards', []],
      ['sent-is-applied', ['slow link']],
      ['no-tombstones', ['kill -9']],
    ])('%s, in the servers', async (mistake, faults) => {
      await Promise.all(servers.map((server) => server.tell(mistake)));
      await isFound(faults);
      await Promise.all(servers.map((server) => server.tell('none')));
      await database.client.query('TRUNCATE guard_leases');
    });

    it.each([
      ['stamped-at-the-reply', ['held link']],
      ['no-end-of-the-lease', ['cut link']],
      ['extended-by-use', ['cut link']],
    ])('%s, in the guards', async (mistake, faults) => {
      await Promise.all(guards.map((guard) => guard.restart()));
      await Promise.all(guards.map((guard) => guard.ask({ mistake })));
      await isFound(faults);
      for (const { link } of guards) link.heal();
    });
  });
});
