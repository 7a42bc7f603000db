import { setImmediate } from 'node:timers/promises';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp } from '../../src/http/http-app.js';
import { HttpTraffic } from '../../src/ops/http-traffic.js';
import { say } from '../harness/progress.js';
import type { Row } from '../harness/row.js';

const REQUESTS = 1_000;

/**
 * Not a figure of the table: what the hooks that count requests cost each of them. Both applications are in this process
 * and are asked without a socket, in turns of some 30 ms: a microsecond would be lost in the noise of two servers.
 */
export const metrics: Row = {
  name: 'metrics',
  number: 0,
  what: 'CPU of a request that is counted, less that of one that is not',
  reach: '',
  aim: '1 us',
  async run(bench) {
    const [counted, uncounted] = [await application([HttpTraffic]), await application([])];
    const rounds = bench.options.rounds * 10;
    const seen: { with: number[]; without: number[] } = { with: [], without: [] };
    for (const app of [counted, uncounted]) await microseconds(app);
    for (let round = 0; round < rounds; round += 1) {
      // whoever comes second may meet a warmer cache
      if (round % 2 === 0) seen.with.push(await microseconds(counted));
      seen.without.push(await microseconds(uncounted));
      if (round % 2 === 1) seen.with.push(await microseconds(counted));
    }
    say(`  ${rounds} rounds of ${REQUESTS} requests each`);
    await Promise.all([counted.close(), uncounted.close()]);
    const [ours, bare] = [best(seen.with), best(seen.without)];
    return {
      result: `${(ours - bare).toFixed(2)} us`,
      note: `${ours.toFixed(2)} and ${bare.toFixed(2)} us without a socket: the best tenth of ${rounds} rounds`,
      details: { difference: ours - bare, counted: ours, uncounted: bare },
    };
  },
};

@Controller('cookies')
class CookiesController {
  @Get()
  eat(): string[] {
    return ['Cookie', 'Cookie', 'Cookie'];
  }
}

async function application(providers: Type[]): Promise<NestFastifyApplication> {
  @Module({ controllers: [CookiesController], providers })
  class OneRoute {}
  const app = await createHttpApp(OneRoute, { realm: 'bench', logger: false });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

/** Of CPU, a request. */
async function microseconds(app: NestFastifyApplication): Promise<number> {
  const before = process.cpuUsage();
  for (let request = 0; request < REQUESTS; request += 1) {
    const { statusCode } = await app.inject({ method: 'GET', url: '/cookies' });
    // what is weakly referenced lives until the event loop turns, and `inject` alone never lets it
    if (request % 50 === 0) await setImmediate();
    if (statusCode !== 200) throw new Error(`GET /cookies answered ${statusCode}`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

/** The mean of the best tenth: what disturbs a round, garbage and other programs, only ever makes it longer. */
function best(values: readonly number[]): number {
  const tenth = [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length / 10));
  return tenth.reduce((sum, one) => sum + one, 0) / tenth.length;
}
