import { ExpressAdapter } from '@nestjs/platform-express';
import fastify from 'fastify';
import { bearerGuard as forExpress, principalOf as principalInExpress } from 'keks-guard/express';
import { bearerGuard as forFastify, principalOf as principalInFastify } from 'keks-guard/fastify';
import { TestValidator } from 'keks-guard/testing';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOwnApi, type OwnApi } from '../support/own-api.js';
import { exchange, type RawAnswer } from '../support/raw-http.js';

const AUDIENCE = 'https://api.example';
const METADATA = 'https://api.example/.well-known/oauth-protected-resource';

const tokens = new TestValidator({ audience: [AUDIENCE] });
const warnings: string[] = [];
const OPTIONS = { realm: 'Bakery', audience: AUDIENCE, resourceMetadata: METADATA, validator: tokens };

interface Api {
  readonly url: string;
  close(): Promise<unknown>;
}

type Handler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;
/** Express has no types of its own. */
type Express = RequestListener & Record<'get' | 'post', (path: string, ...handlers: Handler[]) => void>;

async function startExpress(): Promise<Api> {
  const app = new ExpressAdapter().getInstance<Express>();
  const guard = forExpress({ ...OPTIONS, warn: (line) => warnings.push(line) });
  const answer = (body: (request: IncomingMessage) => object): Handler => {
    return (request, response) => response.end(JSON.stringify(body(request)));
  };
  app.get(
    '/cookies',
    guard('cookies:eat') as Handler,
    answer(() => ['Cookie', 'Cookie', 'Cookie']),
  );
  app.post(
    '/cookies',
    guard('cookies:eat', 'cookies:bake') as Handler,
    answer(() => ({ baked: true })),
  );
  app.get('/me', guard() as Handler, answer(principalInExpress));
  app.get('/nobody', (request, response) => {
    expect(() => principalInExpress(request)).toThrow(/nobody/);
    response.end();
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: async () => server.close() };
}

async function startFastify(): Promise<Api> {
  const app = fastify();
  const guard = forFastify({ ...OPTIONS, warn: (line) => warnings.push(line) });
  app.get('/cookies', { onRequest: guard('cookies:eat') }, () => ['Cookie', 'Cookie', 'Cookie']);
  app.post('/cookies', { onRequest: guard('cookies:eat', 'cookies:bake') }, () => ({ baked: true }));
  app.get('/me', { onRequest: guard() }, (request) => principalInFastify(request));
  app.get('/nobody', (request) => {
    expect(() => principalInFastify(request)).toThrow(/nobody/);
    return '';
  });
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
}

let nest: OwnApi;

beforeAll(async () => {
  nest = await startOwnApi('Fastify', OPTIONS);
});

afterAll(() => nest.close());

describe.each([
  ['Express', startExpress],
  ['Fastify', startFastify],
])('%s without Nest', (_, start) => {
  let api: Api;

  beforeAll(async () => {
    api = await start();
  });

  beforeEach(() => {
    tokens.away = false;
  });

  afterAll(() => api.close());

  const ask = (method: string, path: string, token?: string, url = api.url): Promise<RawAnswer> =>
    exchange(url, {
      method,
      path,
      headers: ['Host: test', ...(token === undefined ? [] : [`Authorization: Bearer ${token}`])],
    });

  const told = (answer: RawAnswer): unknown[] => [
    answer.status,
    answer.body === '' ? '' : JSON.parse(answer.body),
    ...['www-authenticate', 'cache-control', 'retry-after'].map((name) => answer.header(name)),
  ];

  /** The same answer as an API with Nest gives. */
  async function expectAsNest(method: string, path: string, token?: string): Promise<RawAnswer> {
    const answer = await ask(method, path, token);
    expect(told(answer)).toEqual(told(await ask(method, path, token, nest.url)));
    return answer;
  }

  it('200 with a good token, and its principal is known', async () => {
    const token = tokens.issue('cookies:eat', { subject: 'ann' });
    const answer = await ask('GET', '/cookies', token);
    expect(told(answer).slice(0, 2)).toEqual([200, ['Cookie', 'Cookie', 'Cookie']]);
    expect(answer.header('cache-control')).toBe('no-store');
    expect(JSON.parse((await expectAsNest('GET', '/me', token)).body)).toMatchObject({ subject: 'ann' });
    expect((await ask('GET', '/nobody')).status).toBe(200);
  });

  it('401 without a token, with a dead one and with one for another API', async () => {
    const dead = tokens.issue('cookies:eat');
    tokens.revoke(dead);
    const stranger = tokens.issue('cookies:eat', { audience: [`https://other.example/${api.url}`] });
    for (const token of [undefined, dead, 'nobody.made.this', tokens.issue('', { expiresAt: 1 }), stranger])
      expect((await expectAsNest('GET', '/cookies', token)).status).toBe(401);
    await ask('GET', '/cookies', stranger);
    expect(warnings.filter((line) => line.includes(`"https://other.example/${api.url}"`))).toHaveLength(1);
    expect(warnings.join()).not.toContain(stranger);
  });

  it('400 for what is malformed, 403 without all of the scope', async () => {
    const token = tokens.issue('cookies:eat');
    expect((await expectAsNest('GET', '/cookies', `${token} x`)).status).toBe(400);
    expect((await expectAsNest('GET', '/cookies?access_token=x', token)).status).toBe(400);
    expect((await expectAsNest('POST', '/cookies', token)).status).toBe(403);
    expect((await ask('POST', '/cookies', tokens.issue('cookies:eat cookies:bake'))).status).toBeLessThan(
      300,
    );
  });

  it('503 without a verdict, and a line for the operator', async () => {
    tokens.away = true;
    expect((await expectAsNest('GET', '/cookies', tokens.issue('cookies:eat'))).status).toBe(503);
    expect(warnings).toContainEqual('no verdict: The test says that the authority is away.');
  });
});
