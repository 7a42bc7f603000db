import { moveRows, ROWS_MOVE } from './partitions.js';
import type { Random } from './random.js';
import { SERVERS, type World } from './world.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Something that goes wrong, and is mended before it returns. */
export type Fault = (world: World, random: Random) => Promise<void>;

const victim = (random: Random): number => random.pick(SERVERS) ?? 0;

export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill -9 of a server': async (world, random) => {
    const server = victim(random);
    world.kill(server);
    await sleep(random.between(0, 300));
    await world.start(server);
  },
  'pause of a server': async (world, random) => {
    const server = victim(random);
    world.pause(server);
    await sleep(random.between(300, 1_500));
    world.resume(server);
  },
  'cut link to the database': async (world, random) => {
    const server = victim(random);
    world.link(server).cut();
    await sleep(random.between(100, 1_000));
    world.link(server).heal();
  },
  'black hole on the way to the database': async (world, random) => {
    const server = victim(random);
    world.link(server).blackHole();
    await sleep(random.between(500, 2_000));
    world.link(server).heal();
  },
  'slow link to the database': async (world, random) => {
    const server = victim(random);
    world.link(server).delay(random.between(20, 300));
    await sleep(random.between(300, 1_500));
    world.link(server).heal();
  },
  'crash of PostgreSQL': (world) => world.crashPostgres(),
  'a step of a new SECRET_KEY': (world) => world.rotateKeys(),
  'terminated backends': (world) => world.terminateBackends(),
  [ROWS_MOVE]: moveRows,
};
