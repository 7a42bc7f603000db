import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempts } from './attempt.js';
import { operationsOf, type Operation } from './document.js';
import { hangUp, send } from './exchange.js';
import { flawsOf } from './judge.js';
import { Pool } from './pool.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** The same every time in `npm test`; `FUZZ_RUNS=2000 FUZZ_SEED=$RANDOM` looks further. Runs are an operation's. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 15);
const SEED = Number(process.env.FUZZ_SEED ?? 6_750);
const MOST_MS = RUNS * 2_000 + 600_000;

describe(`every operation of the OpenAPI document, whatever is sent (seed ${SEED}, ${RUNS} runs each)`, () => {
  let keks: TestApp;
  let operations: Operation[];
  let pool: Pool;
  const seen = new Map<string, number>();

  beforeAll(async () => {
    keks = await startTestApp({
      ...{ TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'error' },
      ...{ REGISTRATION: 'open', REGISTRATION_SCOPE: 'cookies:eat', REGISTRATIONS_PER_ADDRESS: '10000' },
    });
    operations = await operationsOf(keks.url);
    pool = await Pool.fill(keks);
  });

  afterAll(async () => {
    hangUp();
    await keks.close();
  });

  it(
    'answers as documented: no 5xx, no status, body or header that it does not name',
    async () => {
      const failures: string[] = [];
      for (const operation of operations) {
        const result = await fc.check(property(operation), { seed: SEED, numRuns: RUNS });
        if (result.failed) failures.push(`${operation.name}: ${(result.errorInstance as Error).message}`);
      }
      expect(failures).toEqual([]);
    },
    MOST_MS,
  );

  it('has let the right ones in: nearly every operation has also succeeded', () => {
    const succeeded = operations.filter(({ name, responses }) =>
      Object.keys(responses).some((status) => Number(status) < 400 && seen.has(`${name} ${status}`)),
    );
    const never = operations.filter((one) => !succeeded.includes(one)).map(({ name }) => name);
    expect(never.length, never.join(', ')).toBeLessThan(operations.length * 0.1);
  });

  it('has logged no failure of its own', () => {
    expect(keks.log).toEqual([]);
  });

  function property(operation: Operation) {
    return fc.asyncProperty(attempts(operation), async (attempt) => {
      const answer = await send(keks.url, operation, attempt, pool);
      const outcome = `${operation.name} ${answer.status}`;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      if (answer.status < 400) await learn(operation, answer.text);
      const flaws = flawsOf(operation, answer);
      if (flaws.length > 0)
        throw new Error(`${flaws.join('; ')} after ${answer.sent} -> ${answer.text.slice(0, 300)}`);
    });
  }

  async function learn({ method }: Operation, text: string): Promise<void> {
    if (text.startsWith('{')) pool.harvest(JSON.parse(text));
    if (method !== 'GET') await pool.restore();
  }
});
