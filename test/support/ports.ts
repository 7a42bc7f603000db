import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Ports for servers that are started later, or that come back to the port they had. Whoever asks the system for any port, and
 * every connection that goes out, gets one from 32,768 upwards (Linux; other systems begin higher): such a port may be somebody
 * else's by the time that our server listens, and the test would then talk to a stranger. Ours are below.
 */
const FIRST = 10_000;
const LAST = 32_000;
/** A process takes so many at a time; it listens on the first of them as long as it lives, so that no other takes them too. */
const BLOCK = 100;
const BLOCKS = (LAST - FIRST) / BLOCK;

let left: number[] = [];
let taking: Promise<void> | undefined;

/** A port that nobody listens on, and that no test process on this machine is given while this one lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = left.shift();
    if (port === undefined) await (taking ??= takeBlock().finally(() => (taking = undefined)));
    else if (await isFree(port)) return port;
  }
}

async function takeBlock(): Promise<void> {
  const begin = process.pid % BLOCKS;
  for (let step = 0; step < BLOCKS; step += 1) {
    const first = FIRST + ((begin + step) % BLOCKS) * BLOCK;
    const keeper = await listening(first);
    if (!keeper) continue;
    // it must not keep the process from ending
    keeper.unref();
    left = Array.from({ length: BLOCK - 1 }, (_, at) => first + 1 + at);
    return;
  }
  throw new Error(`all ports from ${FIRST} to ${LAST} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (!server) return false;
  server.close();
  await once(server, 'close');
  return true;
}

async function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    const listens = once(server, 'listening');
    server.listen(port, '127.0.0.1');
    await listens;
    return server;
  } catch {
    return undefined;
  }
}
