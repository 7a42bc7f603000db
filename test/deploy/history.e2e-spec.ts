import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../history/clients.js';
import type { Fault } from '../history/faults.js';
import { Ledger } from '../history/history.js';
import { play } from '../history/run.js';
import { populate } from '../history/setup.js';
import { SERVERS, World } from '../history/world.js';
import { PATIENTLY } from '../support/test-app.js';
import { PGBOUNCER, startPgBouncer } from './support/pgbouncer.js';
import { startReplication, type Replication } from './support/replication.js';

const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);
const SECONDS = 60 * Number(process.env.TORTURE_MINUTES ?? 0.15);

/** The same history as in test/history, of two server processes, with another database behind them in the end. */
describe(
  `the history of two servers over a primary and a standby (seed ${SEED})`,
  { timeout: 900_000 },
  () => {
    const closing: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0).toReversed()) await close();
    });

    async function start(options: { synchronous: boolean }): Promise<Replication> {
      const servers = await startReplication(options);
      closing.push(() => servers.stop());
      return servers;
    }

    async function worldOver(url: string, primary: () => string): Promise<World> {
      const world = await World.over({ url, primary });
      closing.push(() => world.destroy());
      return world;
    }

    const killed: Fault = async (world) => {
      world.kill(0);
      await world.start(0);
    };

    const tell = ({ outcomes, operations, verdicts }: Ledger): void => {
      const counts = [...outcomes].sort().map(([outcome, count]) => `${outcome}: ${count}`);
      process.stdout.write(`  ${operations} operations, ${verdicts} verdicts; ${counts.join(', ')}\n`);
    };

    it('breaks no promise, when a synchronous standby takes the place of the primary', async () => {
      const servers = await start({ synchronous: true });
      let primary = servers.primary;
      const world = await worldOver(servers.both, () => primary);
      let done = false;
      const failOver: Fault = async () => {
        // used proofs do not outlive it, as they do not outlive a crash
        world.crashes += 1;
        await servers.failOver();
        primary = servers.standby;
        done = true;
      };
      const faults = {
        'a failover, and then kills': (...of: Parameters<Fault>) => (done ? killed : failOver)(...of),
      };
      const plan = {
        seed: SEED,
        milliseconds: SECONDS * 1_000,
        faultEvery: 2_500,
        faults,
        atLeast: { validate: 500 },
      };
      const { ledger } = await play(world, await populate(world), plan);
      tell(ledger);
      expect([done, ledger.violations.slice(0, 3)]).toEqual([true, []]);
    });

    it('has all that was acknowledged done again, when the standby had fallen behind', async () => {
      const servers = await start({ synchronous: false });
      let primary = servers.primary;
      const world = await worldOver(servers.both, () => primary);
      const cast = await populate(world);
      let seen: Ledger | undefined;
      let buried: string[] = [];
      const steps = [
        () => sleep(SECONDS * 300),
        () => servers.sever(),
        () => sleep(SECONDS * 300),
        async () => {
          buried = seen?.buried ?? [];
          await servers.failOver();
          primary = servers.standby;
        },
        () => sleep(500),
      ];
      const next: Fault = async () => steps.shift()?.();
      const plan = { seed: SEED, milliseconds: SECONDS * 1_000, faultEvery: 100, faults: { next } };
      const { ledger } = await play(world, cast, {
        ...plan,
        until: (ledger) => {
          seen = ledger;
          return steps.length === 0;
        },
      });
      tell(ledger);
      expect(buried.length).toBeGreaterThan(20);
      // what was made meanwhile is lost: that a refresh token is not known any more does not say that its tokens had ended
      const client = new Client(world.urls, new Ledger(), cast.system);
      closing.push(async () => client.close());
      const alive = async (): Promise<number> => {
        const asked = buried.flatMap((token) => SERVERS.map((server) => client.validate(server, token)));
        return (await Promise.all(asked)).filter(({ status }) => status !== 401).length;
      };
      await expect.poll(alive, PATIENTLY).toBe(0);
    });

    it.skipIf(!PGBOUNCER)('breaks no promise, when a pooler leads to a standby that lags', async () => {
      const servers = await start({ synchronous: false });
      const pgBouncer = await startPgBouncer(servers.primary, {
        pool_mode: 'transaction',
        server_fast_close: 1,
      });
      closing.push(() => pgBouncer.stop());
      const world = await worldOver(pgBouncer.through(servers.primary), () => servers.primary);
      let led = 0;
      const astray: Fault = async (_world, random) => {
        await servers.pause();
        await sleep(random.between(50, 300));
        await pgBouncer.reload({ host: servers.standby });
        await sleep(random.between(300, 1_000));
        await pgBouncer.reload({ host: servers.primary });
        await servers.resume();
        led += 1;
      };
      const faults = { 'a pooler that leads to a standby': astray };
      const plan = {
        seed: SEED,
        milliseconds: SECONDS * 1_000,
        faultEvery: 1_000,
        faults,
        atLeast: { validate: 500 },
      };
      const { ledger } = await play(world, await populate(world), plan);
      tell(ledger);
      expect(ledger.violations.slice(0, 3)).toEqual([]);
      expect(led).toBeGreaterThan(0);
    });
  },
);
