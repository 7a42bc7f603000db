import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';

/** As another process loads it. */
async function another(): Promise<() => Promise<number>> {
  vi.resetModules();
  return (await import('./ports.js')).freePort;
}

describe('freePort', () => {
  const anybodys = lowestOfSystem();
  // a system that is set to give nearly every port leaves no place for ours
  it.skipIf(anybodys < 32_000)('gives no port that the system gives to anybody who asks', async () => {
    const port = await (await another())();
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(anybodys);
  });

  it('gives no port twice, however many are asked for, by two processes at the same time', async () => {
    const [one, other] = [await another(), await another()];
    const ports = await Promise.all(Array.from({ length: 240 }, (_, at) => (at % 2 ? one() : other())));
    expect(new Set(ports).size).toBe(240);
  });

  it('gives no port on which somebody listens', async () => {
    const freePort = await another();
    const stranger = createServer().listen((await freePort()) + 1, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as { port: number };
    const given = [await freePort(), await freePort()];
    stranger.close();
    expect(given).toEqual([port + 1, port + 2]);
  });
});

/** Other systems than Linux begin at 49,152 (RFC 6335 §6). */
function lowestOfSystem(): number {
  try {
    return Number(/^\d+/.exec(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))?.[0]);
  } catch {
    return 49_152;
  }
}
