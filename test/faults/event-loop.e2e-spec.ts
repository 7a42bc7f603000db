import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from '../fuzz/attempt.js';
import { operationsOf, type Operation } from '../fuzz/document.js';
import { hangUp, send } from '../fuzz/exchange.js';
import { Pool } from '../fuzz/pool.js';
import { Placeholder, valueOf } from '../fuzz/values.js';
import { HttpTraffic } from '../../src/ops/http-traffic.js';
import { longestTurn, twentyMilliseconds } from '../support/longest-turn.js';
import { isPageFile, pageInputs, type PageInputs } from '../support/page-inputs.js';
import { PASSWORD, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

/** What estimates, patterns and parsers have to work hardest for. */
const HARD = ['p4ssw0rd', '1987121219991', '@4€3$5!1|0+7(<', 'a', 'ab-'];
const LONGEST = 8_000;

describe('the event loop', () => {
  let keks: TestApp;
  let operations: Operation[];
  let pool: Pool;
  let pages: PageInputs;

  beforeAll(async () => {
    keks = await startTestApp({ LOG_LEVEL: 'error' });
    pool = await Pool.fill(keks);
    operations = await operationsOf(keks.url);
    pages = await pageInputs(keks);
  });

  it('is measured over each route that there is: what is not in the document has inputs of its own', () => {
    const documented = operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    const routes = keks.app
      .get(HttpTraffic)
      .registered()
      .map(({ method, route }) => `${method} ${route}`)
      .filter((route) => !/^(?:HEAD|OPTIONS) /.test(route));
    const known = [...documented, ...Object.keys(pages)];
    expect(routes.filter((route) => !known.includes(route) && !isPageFile(route))).toEqual([]);
    expect(Object.keys(pages).filter((route) => !routes.includes(route))).toEqual([]);
  });

  it('is not kept by a page or a form either, with the longest that they take', async () => {
    const limit = 2 * (await twentyMilliseconds());
    const kept: string[] = [];
    for (const [route, inputs] of Object.entries(pages))
      for (const [at, { path, init, wanted }] of inputs.entries()) {
        let status = 0;
        const work = async (): Promise<void> => {
          const answer = await fetch(keks.url + path, { redirect: 'manual', ...init });
          await answer.arrayBuffer();
          ({ status } = answer);
        };
        const took = await longestTurn(work, 12, limit);
        if (took > limit) kept.push(`${route}, input ${at}: ${took} of ${limit} ms`);
        expect([route, at, wanted.includes(status) ? 'as wanted' : status]).toEqual([route, at, 'as wanted']);
      }
    expect(kept).toEqual([]);
  });

  afterAll(async () => {
    hangUp();
    await keks.close();
  });

  it('is never kept by one request, whatever the route and however long the input', async () => {
    const limit = 2 * (await twentyMilliseconds());
    const kept: string[] = [];
    const answered = new Set<number>();
    for (const operation of operations)
      for (const attempt of longestOf(operation)) {
        const work = async (): Promise<void> => {
          answered.add((await send(keks.url, operation, attempt, pool)).status);
          if (operation.method !== 'GET') await pool.restore();
        };
        const took = await longestTurn(work, 12, limit);
        if (took > limit) kept.push(`${operation.name} ${sketch(attempt)}: ${took} of ${limit} ms`);
      }
    expect(kept).toEqual([]);
    expect(operations.length).toBeGreaterThan(20);
    expect([...answered].filter((status) => status >= 500)).toEqual([]);
  });

  it('429 after ten new passwords that were too easy to guess, and nobody else is kept', async () => {
    const limited = await startTestApp({ LOGIN_FAILURES_PER_ACCOUNT: '10' });
    await limited.addUser('Ann');
    await limited.addUser('Bea');
    const token = await limited.login('Ann', 'keks:account');
    const attempt = (one = token): Promise<Answer> =>
      changeWith(limited, one, PASSWORD, 'sunshinemonkeydragon');
    const all = await Promise.all(Array.from({ length: 30 }, () => attempt()));
    expect(all.filter(({ status }) => status === 400)).toHaveLength(10);
    expect(all.filter(({ status }) => status === 429)).toHaveLength(20);
    expect(Number((await attempt()).headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await attempt(await limited.login('Bea', 'keks:account'))).status).toBe(400);
    limited.clock.advance(15 * 60 + 1);
    const again = await limited.login('Ann', 'keks:account');
    expect((await changeWith(limited, again, PASSWORD, `${PASSWORD} and tea`)).status).toBe(204);
    await limited.close();
  });
});

function changeWith(keks: TestApp, token: string, password: string, wanted: string): Promise<Answer> {
  return request(keks.url, '/password', {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ old_password: password, new_password: wanted }),
  });
}

function hard(part: string, length: number): string {
  return part.repeat(length).slice(0, length).toWellFormed();
}

/** One attempt a text of the operation, which is as long as it may be while the others are right. */
function longestOf(operation: Operation): Attempt[] {
  const path = Object.fromEntries(
    operation.parameters
      .filter((one) => one.in === 'path')
      .map(({ name }) => [name, new Placeholder(`${name} in ${operation.path}`, 0)]),
  );
  const caller = operation.security === 'client' ? 'client' : 'admin';
  const plain: Attempt = { caller, path, query: [], headers: {}, body: undefined };
  const { properties = {} } = operation.body?.schema ?? {};
  const right = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      name === 'password'
        ? new Placeholder('password', 0)
        : fc.sample(valueOf(name, schema), { numRuns: 1, seed: 7 })[0],
    ]),
  );
  const bodies = Object.entries(properties)
    .filter(([, schema]) => schema.type === 'string' && !schema.enum)
    .flatMap(([name, { maxLength }]) =>
      HARD.map((part) => {
        const most = name.includes('password') ? 900 : Math.min(maxLength ?? LONGEST, LONGEST);
        return { ...plain, body: { value: { ...right, [name]: hard(part, most) } } };
      }),
    );
  const queries = operation.parameters
    .filter((one) => one.in === 'query')
    .map(({ name }): Attempt => ({ ...plain, query: [[name, hard('ab-', 4_000)]] }));
  const big = ['[1],', '1,', '{},', '{"b":""},'].map((part) => ({
    ...plain,
    body: { text: Buffer.from(`{"a":[${part.repeat(65_000 / part.length)}1]}`) },
  }));
  const last = operation.body ? [{ ...plain, body: { value: right } }, ...big] : [plain];
  return [...last, ...bodies, ...queries];
}

function sketch({ body, query }: Attempt): string {
  const value = body && 'value' in body ? JSON.stringify(body.value) : String(body?.text.subarray(0, 12));
  return `${value.slice(0, 60)} ${JSON.stringify(query).slice(0, 40)}`;
}
