import {
  Body,
  CanActivate,
  Catch,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  HttpException,
  Module,
  Param,
  Post,
  Query,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import * as fc from 'fast-check';
import type { EventEmitter } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { DrainState, drain, isDraining } from '../../src/http/drain.js';
import { parseJson } from '../../src/http/body/json-parser.js';
import { createHttpApp, listen, type HttpOptions } from '../../src/http/http-app.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import { WireError } from '../../src/http/errors/wire-error.js';
import { expectListed } from '../support/error-shape.js';
import { selfSigned } from '../support/certificate.js';
import { soonerThan } from '../support/sooner.js';
import { PATIENTLY } from '../support/test-app.js';
import { wants500 } from '../support/watch.js';

// --- a small application -------------------------------------------------------------------------------------

const SECRET = 'kat_AAAABBBBCCCCDDDDEEEE1111';

class Refusal extends HttpException {
  constructor() {
    super('refused', 401);
  }
}

@Catch(Refusal)
class RefusalFilter implements ExceptionFilter {
  catch(_: Refusal, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<FastifyReply>().code(401).send({ error: 'from_its_own_filter' });
  }
}

class Closed implements CanActivate {
  canActivate(): never {
    throw new Refusal();
  }
}

const Shape = z.object({ user: z.string() });

@Controller()
class TestController {
  @Get('cookies') cookies(): string[] {
    return ['Cookie', 'Cookie', 'Cookie'];
  }

  @Post('echo') @HttpCode(200) echo(@Body() body: unknown): unknown {
    return { body: body ?? null };
  }

  @Post('shape') @HttpCode(200) shape(@Body({ schema: Shape }) body: z.infer<typeof Shape>): unknown {
    return body;
  }

  @Get('list') list(
    @Query({ schema: z.object({ limit: z.coerce.number().int().max(100).optional() }) }) query: unknown,
  ): unknown {
    return query;
  }

  @Post('oauth/token') @HttpCode(200) token(@Body() body: Record<string, string>): unknown {
    return { keys: Object.keys(body).sort(), body, prototype: Object.getPrototypeOf(body) === null };
  }

  @Delete('things/:id') @HttpCode(204) remove(): void {}

  @Get('things/:id') thing(@Param('id') id: string): unknown {
    return { id };
  }

  @Post('guarded') @UseGuards(Closed) guarded(@Body({ schema: Shape }) body: unknown): unknown {
    return body;
  }

  @Get('stored') @Header('Cache-Control', 'public, max-age=60') stored(): unknown {
    return {};
  }

  @Get('slow') async slow(@Query('ms') ms: string): Promise<unknown> {
    await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    return { slow: true };
  }

  @Get('throws/:what') throws(@Param('what') what: string): never {
    throw this.errors()[what] ?? new Error('unknown');
  }

  private errors(): Record<string, unknown> {
    return {
      plain: Object.assign(new Error(`duplicate key (token)=(${SECRET})`), {
        query: 'SELECT secret',
        parameters: [SECRET],
      }),
      text: 'not even an error',
      nothing: undefined,
      unavailable: new Unavailable('pool exhausted', { cause: new Error('timeout') }),
      retry: Object.assign(new Error('throttled upstream'), { retryAfter: 2.5 }),
      client: new WireError('invalid_client'),
      own: new WireError('invalid_client', { 'WWW-Authenticate': 'Basic realm="own"' }),
      login: new WireError('invalid_credentials'),
      throttled: new WireError('too_many_requests', { 'Retry-After': '17' }),
      foreign: new Refusal(),
      teapot: new HttpException(`I am ${SECRET}`, 418),
      forbidden: new HttpException('no', 403),
      upstream: Object.assign(new Error('the answer of somebody else'), { statusCode: 404 }),
    };
  }
}

@Module({ controllers: [TestController], providers: [{ provide: APP_FILTER, useClass: RefusalFilter }] })
class TestModule {}

// --- how the tests speak ---------------------------------------------------------------------------------------

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
  json: Record<string, unknown>;
}

/** Reads one or more answers as they stand on the wire. */
function parseAnswers(text: string, methods: string[] = []): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) throw new Error(`not an answer: ${JSON.stringify(rest.slice(0, 80))}`);
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    rest = rest.slice(end + 4);
    const status = Number(statusLine.split(' ')[1]);
    if (status === 100) continue;
    const headers: Record<string, string> = {};
    for (const line of lines)
      headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 2);
    const length = methods[answers.length] === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0);
    const body = Buffer.from(rest.slice(0, length), 'latin1').toString();
    rest = rest.slice(length);
    answers.push({ status, headers, body, json: body.startsWith('{') ? JSON.parse(body) : {} });
  }
  return answers;
}

/** Sends bytes as they are and waits until the server closes. */
function raw(port: number, ...chunks: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => (text += data));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: Error & { code: string }) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
  });
}

interface Sent {
  method?: string;
  path: string;
  headers?: readonly string[];
  body?: string | Buffer;
  chunked?: boolean;
}

function bytesOf({ method = 'GET', path, headers = [], body, chunked = false }: Sent, close = true): Buffer {
  const bytes = Buffer.from(body ?? '');
  const framing =
    body === undefined ? [] : [chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes.length}`];
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: test',
    ...headers,
    ...framing,
    ...(close ? ['Connection: close'] : []),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  if (!chunked) return Buffer.concat([head, bytes]);
  return Buffer.concat([
    head,
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
}

let port: number;
let app: NestFastifyApplication;
const logged: Record<string, unknown>[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => logged.push(JSON.parse(line)) });

const OPTIONS: HttpOptions = { realm: 'Cookie "Factory"', logger };

async function start(options: HttpOptions = OPTIONS): Promise<[NestFastifyApplication, number]> {
  const started = await createHttpApp(TestModule, options);
  return [started, await listen(started, 0, '127.0.0.1')];
}

async function send(sent: Sent): Promise<Answer> {
  const [answer] = parseAnswers(await raw(port, bytesOf(sent)), [sent.method ?? 'GET']);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

const JSON_TYPE = 'Content-Type: application/json';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';
const postJson = (body: string | Buffer, path = '/echo'): Promise<Answer> =>
  send({ method: 'POST', path, headers: [JSON_TYPE], body });
const postForm = (body: string | Buffer): Promise<Answer> =>
  send({ method: 'POST', path: '/oauth/token', headers: [FORM_TYPE], body });

function expectError(answer: Answer, status: number, code: string): void {
  expectListed(answer.status, answer.json, status, code);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{16}$/);
  expect(answer.headers['cache-control']).toBe('no-store');
}

const thrown = (what: string): Promise<Answer> => send({ path: `/throws/${what}` });

const postAs = (path: string, type: string, body: string): Promise<Answer> =>
  send({ method: 'POST', path, headers: [`Content-Type: ${type}`], body });

const nested = (depth: number, open = '{"a":', close = '}'): string =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;
const sized = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;

const pipeline = async (...requests: Sent[]): Promise<Answer[]> => {
  const last = requests.length - 1;
  const bytes = requests.map((sent, n) => bytesOf(sent, n === last));
  return parseAnswers(
    await raw(port, Buffer.concat(bytes)),
    requests.map(({ method }) => method ?? 'GET'),
  );
};

const happened = (socket: EventEmitter, event: string): Promise<unknown> =>
  new Promise((resolve) => socket.once(event, resolve));
const once = (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
const GET = 'GET /cookies HTTP/1.1\r\nHost: a\r\n\r\n';

const guarded = (body: string, type = JSON_TYPE): Promise<Answer> =>
  send({ method: 'POST', path: '/guarded', headers: [type], body });

const stableHeaders = ({ headers }: Answer): unknown => ({ ...headers, date: '', 'x-request-id': '' });

const isClean = (text: string): boolean =>
  !text.includes('\0') && !['__proto__', 'constructor', 'prototype'].includes(text);

/** `a` as `\\u0061`. */
const escaped = (text: string): string =>
  Array.from(
    { length: text.length },
    (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

/** Asked first and awaited last: nothing but time has to pass. */
let slow: Promise<string[]>;

beforeAll(async () => {
  [app, port] = await start();
  slow = soonerThan(
    15_000,
    Promise.all([
      raw(port, 'GET /cookies HTTP/1.1\r\nHost:'),
      raw(port, `POST /echo HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}\r\nContent-Length: 10\r\n\r\n{"a"`),
      raw(port, ''),
    ]),
  );
  // whoever waits for it hears of it
  slow.catch(() => undefined);
});
afterAll(() => app.close());

// --- the specification -----------------------------------------------------------------------------------------

describe('every answer', () => {
  it('carries a request id that is never the client’s', async () => {
    const first = await send({ path: '/cookies', headers: ['X-Request-Id: mine', 'Request-Id: mine'] });
    const second = await send({ path: '/cookies' });
    expect(first.headers['x-request-id']).toMatch(/^[0-9a-f]{16}$/);
    expect(first.headers['x-request-id']).not.toBe(second.headers['x-request-id']);
  });

  it('is not stored, unless its route says so', async () => {
    expect((await send({ path: '/cookies' })).headers['cache-control']).toBe('no-store');
    expect((await send({ path: '/stored' })).headers['cache-control']).toBe('public, max-age=60');
  });
});

describe('errors', () => {
  it.each(['plain', 'text', 'nothing', 'upstream'])(
    '500 server_error for anything unknown: %s',
    async (what) => {
      const answer = await thrown(what);
      wants500();
      expectError(answer, 500, 'server_error');
      expect(answer.body).not.toContain(SECRET);
    },
  );

  it('logs a 500 with the request id, without SQL, parameters or tokens', async () => {
    wants500();
    const answer = await thrown('plain');
    const line = logged.find(
      (entry) => entry['requestId'] === answer.headers['x-request-id'] && entry['error'],
    );
    expect(line).toMatchObject({ level: 50, method: 'GET', route: '/throws/:what', status: 500 });
    expect(JSON.stringify(line)).toContain('duplicate key');
    expect(JSON.stringify(logged)).not.toContain(SECRET);
    expect(JSON.stringify(logged)).not.toContain('SELECT secret');
  });

  it('503 temporarily_unavailable with Retry-After when infrastructure could not answer', async () => {
    const answer = await thrown('unavailable');
    expectError(answer, 503, 'temporarily_unavailable');
    expect(answer.headers['retry-after']).toBe('1');
    const line = logged.find(
      (entry) => entry['requestId'] === answer.headers['x-request-id'] && entry['error'],
    );
    expect(line).toMatchObject({ level: 40, error: { type: 'Unavailable', cause: { message: 'timeout' } } });
  });

  it('503 for any error that says when to come back, in whole seconds', async () => {
    const answer = await thrown('retry');
    expectError(answer, 503, 'temporarily_unavailable');
    expect(answer.headers['retry-after']).toBe('3');
  });

  it('401 invalid_client challenges with Basic, unless the thrower did (RFC 6749 §5.2)', async () => {
    const answer = await thrown('client');
    expectError(answer, 401, 'invalid_client');
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Cookie \\"Factory\\"", charset="UTF-8"');
    expect((await thrown('own')).headers['www-authenticate']).toBe('Basic realm="own"');
  });

  it('401 invalid_credentials challenges with Bearer, its realm a quoted-string (RFC 9110 §5.6.4)', async () => {
    const answer = await thrown('login');
    expectError(answer, 401, 'invalid_credentials');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="Cookie \\"Factory\\""');
  });

  it('refuses a realm that cannot stand in a header', async () => {
    await expect(createHttpApp(TestModule, { realm: 'a\r\nSet-Cookie: b', logger: false })).rejects.toThrow(
      TypeError,
    );
  });

  it('keeps the headers of the thrower', async () => {
    const answer = await thrown('throttled');
    expectError(answer, 429, 'too_many_requests');
    expect(answer.headers['retry-after']).toBe('17');
  });

  it('leaves an error to the filter that was registered for it', async () => {
    const answer = await thrown('foreign');
    expect([answer.status, answer.json]).toEqual([401, { error: 'from_its_own_filter' }]);
  });

  it('translates Nest’s exceptions by status and drops what they say', async () => {
    const answer = await thrown('teapot');
    expectError(answer, 400, 'invalid_request');
    expect(answer.body).not.toContain(SECRET);
    expectError(await thrown('forbidden'), 404, 'not_found');
  });
});

describe('404', () => {
  it.each([
    '/nowhere',
    '//cookies',
    '/cookies/',
    '/COOKIES',
    '/cookies;a=b',
    '/cookies%2F',
    '/things/',
    '/./cookies',
    '*cookies',
    '*',
    '/cookies%00',
  ])('not_found: %s', async (path) => expectError(await send({ path }), 404, 'not_found'));

  it('not_found for a parameter that is too long', async () => {
    expectError(await send({ path: `/things/${'a'.repeat(800)}` }), 404, 'not_found');
  });

  it('routes the percent-encoded spelling of a path to the very same route', async () => {
    expect((await send({ path: '/%63ookies' })).status).toBe(200);
    expect((await send({ path: 'http://elsewhere/cookies' })).status).toBe(200);
  });

  it('400 invalid_request for a path that cannot be decoded', async () => {
    expectError(await send({ path: '/%zz' }), 400, 'invalid_request');
    expectError(await send({ method: 'PROPFIND', path: '/%zz' }), 400, 'invalid_request');
  });
});

describe('405', () => {
  it.each([
    ['POST', '/cookies', 'GET, HEAD, OPTIONS'],
    ['GET', '/echo', 'OPTIONS, POST'],
    ['HEAD', '/echo', 'OPTIONS, POST'],
    ['PUT', '/things/1', 'DELETE, GET, HEAD, OPTIONS'],
    ['PATCH', '/%63ookies?a=b', 'GET, HEAD, OPTIONS'],
    ['TRACE', '/cookies', 'GET, HEAD, OPTIONS'],
    ['PROPFIND', '/cookies', 'GET, HEAD, OPTIONS'],
    ['QUERY', '/cookies', 'GET, HEAD, OPTIONS'],
  ])('method_not_allowed: %s %s, Allow: %s', async (method, path, allow) => {
    const answer = await send({ method, path });
    if (method === 'HEAD') expect([answer.status, answer.body]).toEqual([405, '']);
    else expectError(answer, 405, 'method_not_allowed');
    expect(answer.headers['allow']).toBe(allow);
  });

  it('400 and the end of the connection for a method that is none', async () => {
    const [answer] = parseAnswers(await raw(port, 'BREW /cookies HTTP/1.1\r\nHost: a\r\n\r\n'));
    expectError(answer!, 400, 'invalid_request');
  });

  it('closes on CONNECT', async () => {
    expect(await raw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
  });
});

describe('OPTIONS and HEAD', () => {
  it('OPTIONS: 204 with Allow and no body', async () => {
    const answer = await send({ method: 'OPTIONS', path: '/cookies' });
    expect([answer.status, answer.body, answer.headers['allow']]).toEqual([204, '', 'GET, HEAD, OPTIONS']);
    expect(answer.headers['content-type']).toBeUndefined();
    expectError(await send({ method: 'OPTIONS', path: '/nowhere' }), 404, 'not_found');
  });

  it('HEAD: status and headers of GET, no body', async () => {
    const get = await send({ path: '/cookies' });
    const head = await send({ method: 'HEAD', path: '/cookies' });
    expect([head.status, head.body]).toEqual([200, '']);
    expect(stableHeaders(head)).toEqual(stableHeaders(get));
  });
});

describe('order of checks', () => {
  const LARGE = 'x'.repeat(70_000);
  it('404 and 405 before 413, 415 and 400', async () => {
    for (const headers of [
      [],
      [JSON_TYPE],
      ['Content-Type: text/plain'],
      ['Content-Type: ///'],
      ['Host: b'],
    ]) {
      expectError(await send({ method: 'POST', path: '/nowhere', headers, body: LARGE }), 404, 'not_found');
      expectError(
        await send({ method: 'POST', path: '/cookies', headers, body: LARGE }),
        405,
        'method_not_allowed',
      );
    }
  });

  it('413 before 415', async () => {
    for (const chunked of [false, true]) {
      const answer = await send({
        method: 'POST',
        path: '/echo',
        headers: ['Content-Type: text/plain'],
        body: LARGE,
        chunked,
      });
      expectError(answer, 413, 'payload_too_large');
    }
  });

  it('413, 415 and 400 before 401', async () => {
    expectError(await guarded(LARGE), 413, 'payload_too_large');
    expectError(await guarded('{}', FORM_TYPE), 415, 'unsupported_media_type');
    expectError(await guarded('{'), 400, 'invalid_request');
  });

  it('401 before the shape of the body', async () => {
    expect((await postJson('{"wrong":1}', '/guarded')).status).toBe(401);
    expect((await send({ method: 'POST', path: '/guarded' })).status).toBe(401);
  });
});

describe('repeated header lines', () => {
  it.each([
    ['Host: other'],
    ['HOST: test'],
    ['Authorization: Bearer a', 'authorization: Bearer a'],
    [JSON_TYPE, 'content-type: application/json'],
  ])('400 invalid_request: %s %s', async (...headers) => {
    expectError(await send({ path: '/cookies', headers }), 400, 'invalid_request');
    expectError(
      await send({ method: 'POST', path: '/echo', headers: [...headers], body: '{}' }),
      400,
      'invalid_request',
    );
  });

  it('with the challenge of RFC 6750 §3.1 for two Authorization lines, on every route, and for no other header', async () => {
    const twice = ['Authorization: Bearer a', 'Authorization: Bearer b'];
    for (const route of [
      { path: '/cookies' },
      { method: 'POST', path: '/echo', body: '{}' },
      { method: 'POST', path: '/guarded', body: '{}' },
    ]) {
      const answer = await send({ ...route, headers: twice });
      const { error_description: description } = answer.json;
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([
        400,
        String.raw`Bearer realm="Cookie \"Factory\"", error="invalid_request", error_description="${description}"`,
      ]);
      const other = await send({ ...route, headers: ['Host: other'] });
      expect([other.status, other.headers['www-authenticate']]).toEqual([400, undefined]);
    }
  });

  it('404 and 405 come first', async () => {
    expectError(await send({ path: '/nowhere', headers: ['Host: b'] }), 404, 'not_found');
    expectError(
      await send({ method: 'PUT', path: '/cookies', headers: ['Host: b'] }),
      405,
      'method_not_allowed',
    );
  });

  it('finds the second line behind a thousand others', async () => {
    const filler = Array.from({ length: 2_500 }, () => 'a:');
    expectError(
      await send({ path: '/cookies', headers: ['Authorization: a', ...filler, 'Authorization: b'] }),
      400,
      'invalid_request',
    );
  });
});

describe('content type', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json ; Charset="Utf-8"',
    'application/json; version=1',
  ])('JSON is taken as %s', async (type) => {
    expect((await postAs('/echo', type, '{"a":1}')).json).toEqual({ body: { a: 1 } });
  });

  it.each([
    'text/plain',
    'text/json',
    'application/jsonx',
    'application/json5',
    'application/merge-patch+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-8',
    'application/json, application/json',
    'application/json; =',
    'json',
    '/',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=a',
  ])('415 for JSON as %s', async (type) => {
    const answer = await postAs('/echo', type, '{"a":1}');
    expectError(answer, 415, 'unsupported_media_type');
  });

  it('forms under /oauth/, however the path is spelled, and nothing else', async () => {
    const form = 'application/x-www-form-urlencoded';
    expect((await postAs('/oauth/token', form, 'a=1')).status).toBe(200);
    expect((await postAs('/%6Fauth/token', `${form}; charset=UTF-8`, 'a=1')).status).toBe(200);
    const answer = await postAs('/oauth/token', 'application/json', '{}');
    expectError(answer, 415, 'unsupported_media_type');
    expect(answer.headers['accept']).toBe(form);
  });

  describe('a form that says another charset, as Apache HttpClient does, is read where it has nothing but ASCII in it', () => {
    const form = 'application/x-www-form-urlencoded; charset=';
    it.each(['ISO-8859-1', 'us-ascii', '"iso-8859-1"'])('%s', async (charset) => {
      expect((await postAs('/oauth/token', form + charset, 'a=1&b=%26%7e+c')).status).toBe(200);
      for (const body of ['a=%FC', 'a=%c3%bc', 'a=\u00fc', '%e4=1'])
        expect((await postAs('/oauth/token', form + charset, body)).status, body).toBe(415);
    });

    it.each(['utf-16', 'utf-7', 'shift_jis', 'iso-8859-1; charset=utf-8'])('%s: 415', async (charset) => {
      expect((await postAs('/oauth/token', form + charset, 'a=1')).status).toBe(415);
    });

    it('JSON is UTF-8: 415', async () => {
      for (const charset of ['iso-8859-1', 'us-ascii'])
        expect((await postAs('/echo', `application/json; charset=${charset}`, '{}')).status).toBe(415);
    });
  });

  it('415 for a body without a type', async () => {
    expectError(await send({ method: 'POST', path: '/echo', body: '{}' }), 415, 'unsupported_media_type');
    expectError(
      await send({ method: 'POST', path: '/echo', body: '{}', chunked: true }),
      415,
      'unsupported_media_type',
    );
  });

  it('415 for a compressed body (no bombs), naming what is accepted', async () => {
    const headers = [JSON_TYPE, 'Content-Encoding: gzip'];
    const answer = await send({ method: 'POST', path: '/echo', headers, body: gzipSync('{}') });
    expectError(answer, 415, 'unsupported_media_type');
    expect(answer.headers['accept-encoding']).toBe('identity');
  });

  it('400 without a body and a type, where a body is wanted', async () => {
    expectError(await send({ method: 'POST', path: '/shape' }), 400, 'invalid_request');
    expectError(await send({ method: 'POST', path: '/shape', body: '' }), 400, 'invalid_request');
    expectError(await send({ method: 'POST', path: '/shape', headers: [JSON_TYPE] }), 400, 'invalid_request');
    expectError(
      await send({ method: 'POST', path: '/shape', headers: [JSON_TYPE], body: '' }),
      400,
      'invalid_request',
    );
  });

  it('no body where none is wanted is fine, with a type or without', async () => {
    expect((await send({ method: 'POST', path: '/echo' })).status).toBe(200);
    expect((await send({ method: 'POST', path: '/echo', headers: [JSON_TYPE], body: '' })).status).toBe(200);
  });
});

describe('JSON', () => {
  it('arrives as it was sent', async () => {
    const value = { a: [1, -2.5e3, true, null, { b: 'ä🍪\u0001\\"' }], '': {}, A: 1 };
    expect((await postJson(JSON.stringify(value, null, '\t'))).json).toEqual({ body: value });
    expect((await postJson('{"\\u0061":"\\ud83c\\udf6a"}')).json).toEqual({ body: { a: '🍪' } });
  });

  it('65,536 bytes are taken, one more is 413, by length and chunked', async () => {
    for (const chunked of [false, true]) {
      const ask = (body: string): Promise<Answer> =>
        send({ method: 'POST', path: '/echo', headers: [JSON_TYPE], body, chunked });
      expect((await ask(sized(65_536))).status).toBe(200);
      expectError(await ask(sized(65_537)), 413, 'payload_too_large');
      expectError(await ask(sized(900_000)), 413, 'payload_too_large');
    }
  });

  it('413 reaches a client that sends much more than that', async () => {
    for (const body of ['x'.repeat(900_000), new Blob(['x'.repeat(900_000)]).stream()]) {
      const headers = { 'content-type': 'application/json' };
      const init: RequestInit = { method: 'POST', headers, body, duplex: 'half' };
      const answer = await fetch(`http://127.0.0.1:${port}/echo`, init);
      expect([answer.status, await answer.json()]).toMatchObject([413, { error: 'payload_too_large' }]);
    }
  });

  it('413 without waiting for a body that does not come', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}\r\nContent-Length: 100000\r\n\r\n`);
    const said = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    const text = await soonerThan(5_000, said);
    socket.destroy();
    expect(text).toContain('413 ');
  });

  it('cuts off who sends without end', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    let text = '';
    socket.on('data', (data) => (text += String(data)));
    const pump = setInterval(() => socket.write(chunk), 1);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(pump);
    expect(text).toContain('413 ');
  });

  it('2,048 values are taken, one more is 400, in lists and members; commas in texts are none', async () => {
    const list = (values: number): string => `{"a":[${Array(values).fill('1').join()}]}`;
    const members = (values: number): string =>
      `{${Array.from({ length: values }, (_, at) => `"k${at}":""`).join()}}`;
    for (const body of [list, members]) {
      expect((await postJson(body(2_048))).status).toBe(200);
      expectError(await postJson(body(2_049)), 400, 'invalid_request');
    }
    expect((await postJson(`{"a":"${','.repeat(60_000)}"}`)).status).toBe(200);
  });

  it('32 levels are taken, 33 are 400', async () => {
    expect((await postJson(nested(32))).status).toBe(200);
    expectError(await postJson(nested(33)), 400, 'invalid_request');
    expect((await postJson(`{"a":${nested(31, '[', ']')}}`)).status).toBe(200);
    expectError(await postJson(`{"a":${nested(32, '[', ']')}}`), 400, 'invalid_request');
  });

  it('400 for a depth bomb', async () => {
    expectError(await postJson('{"a":'.repeat(13_000)), 400, 'invalid_request');
    expectError(await postJson(nested(10_000)), 400, 'invalid_request');
    expectError(await postJson('['.repeat(65_000)), 400, 'invalid_request');
  });

  it.each([
    ['an array', '[]'],
    ['a string', '"a"'],
    ['a number', '1'],
    ['null', 'null'],
    ['only white space', '  '],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{"a":1/**/}'],
    ['single quotes', "{'a':1}"],
    ['two documents', '{}{}'],
    ['a raw control character', '{"a":"\u0001"}'],
    ['NaN', '{"a":NaN}'],
    ['a byte order mark', '\ufeff{}'],
    ['a duplicate key', '{"a":1,"a":1}'],
    ['a duplicate key, escaped', '{"a":1,"\\u0061":1}'],
    ['a duplicate key, deep', '{"x":[{"b":{"a":1,"c":"}","a" \n:2}}]}'],
    ['a duplicate empty key', '{"":1,"":2}'],
    ['__proto__', '{"__proto__":{}}'],
    ['__proto__, escaped', '{"a":[{"\\u005f_proto__":1}]}'],
    ['constructor', '{"a":{"constructor":1}}'],
    ['prototype', '{"prototype" : 1}'],
    ['NUL in a value', '{"a":"\\u0000"}'],
    ['NUL in a key', '{"a\\u0000":1}'],
    ['a lone surrogate', '{"a":"\\ud83c"}'],
    ['a lone surrogate in a key', '{"\\udf6a":1}'],
    ['surrogates the wrong way round', '{"a":["\\udf6a\\ud83c"]}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
    ['a surrogate in UTF-8', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ['an overlong slash', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
  ])('400 for %s', async (_, body) => {
    const answer = await postJson(body);
    expectError(answer, 400, 'invalid_request');
  });

  it('equal keys of different objects, and values that look like keys, are fine', async () => {
    const body = {
      a: { a: 1 },
      b: [{ a: 1 }, { a: 2 }],
      c: '__proto__',
      d: ['a', 'a'],
      e: '"a":1,"a":',
      f: '\\',
    };
    expect((await postJson(JSON.stringify(body))).json).toEqual({ body });
  });

  it('hands on exactly what JSON.parse reads, of any well-formed object', () => {
    const key = fc.string({ unit: 'grapheme' }).filter((text) => isClean(text));
    const value = fc.object({ key, values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)] });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (object, indent) => {
        const text = JSON.stringify(object, null, indent);
        fc.pre(!text.includes('\\u0000') && depthOf(object) <= 32);
        expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses any key that comes twice, however it is spelled', () => {
    const keys = fc.uniqueArray(fc.string({ unit: 'grapheme' }).filter(isClean), { minLength: 1 });
    fc.assert(
      fc.property(keys, fc.nat(), fc.nat(), fc.boolean(), (unique, which, where, spelled) => {
        const members = unique.map((name) => `${JSON.stringify(name)}:{"a":"\\\\"}`);
        const twice = unique[which % unique.length]!;
        members.splice(
          where % (members.length + 1),
          0,
          `${spelled ? `"${escaped(twice)}"` : JSON.stringify(twice)} :1`,
        );
        expect(() => parseJson(Buffer.from(`{"x":[{${members.join(' , ')}}]}`))).toThrow(WireError);
      }),
    );
  });

  it('says nothing of the input in a refusal', async () => {
    const answer = await postJson(`{"a":${SECRET}}`);
    expect(answer.body).not.toContain(SECRET.slice(0, 3));
  });

  it('survives a client that goes away in the middle', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}\r\nContent-Length: 10\r\n\r\n{"a"`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await send({ path: '/cookies' })).status).toBe(200);
  });
});

describe('forms', () => {
  it('decodes + and %, keeps what has a value, in an object without a prototype', async () => {
    const { json } = await postForm('a=1+2%2B&b=&c&%64=%F0%9F%8D%AA=&__proto__=x&toString=y&');
    expect(json).toMatchObject({ keys: ['__proto__', 'a', 'd', 'toString'], prototype: true });
    expect(json['body']).toMatchObject({ a: '1 2+', d: '🍪=', toString: 'y' });
  });

  it('an empty form is a form', async () => {
    expect((await postForm('')).json).toMatchObject({ keys: [] });
  });

  it.each([
    ['a parameter twice', 'a=1&a=1'],
    ['a parameter twice, one empty', 'a=&a=1'],
    ['a parameter twice, encoded', 'a=1&%61=2'],
    ['a bad escape', 'a=%zz'],
    ['half an escape', 'a=%4'],
    ['an escape that is not UTF-8', 'a=%ff'],
    ['an escaped surrogate', 'a=%ED%A0%80'],
    ['NUL', 'a=%00'],
    ['NUL in a name', 'a%00=1'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
    ['65 parameters', Array.from({ length: 65 }, (_, n) => `p${n}=1`).join('&')],
  ])('400 for %s', async (_, body) => expectError(await postForm(body), 400, 'invalid_request'));

  it('64 parameters and 65,536 bytes are taken, more bytes are 413', async () => {
    expect((await postForm(Array.from({ length: 64 }, (_, n) => `p${n}=1`).join('&'))).status).toBe(200);
    expect((await postForm(`a=${'x'.repeat(65_534)}`)).status).toBe(200);
    expectError(await postForm(`a=${'x'.repeat(65_535)}`), 413, 'payload_too_large');
  });

  it('never come from the query', async () => {
    const answer = await send({
      method: 'POST',
      path: '/oauth/token?a=1',
      headers: [FORM_TYPE],
      body: 'b=2',
    });
    expect(answer.json).toMatchObject({ keys: ['b'] });
  });
});

describe('shapes', () => {
  it('400 for a body or a query that is not what the route declares, by the name that it has there', async () => {
    const answer = await postJson(`{"user":["${SECRET}"]}`, '/shape');
    expectError(answer, 400, 'invalid_request');
    expect(answer.json['parameter']).toBe('user');
    expect(answer.body).not.toContain(SECRET);
    expectError(await send({ path: '/list?limit=101' }), 400, 'invalid_request');
    expectError(await send({ path: '/list?limit=1&limit=2' }), 400, 'invalid_request');
  });

  it('unknown members are dropped', async () => {
    expect((await postJson('{"user":"a","more":1}', '/shape')).json).toEqual({ user: 'a' });
    expect((await send({ path: '/list?limit=7' })).json).toEqual({ limit: 7 });
  });
});

describe('framing', () => {
  it('a body of GET, HEAD, DELETE and OPTIONS means nothing and never becomes the next request', async () => {
    const smuggled = 'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const chunked of [false, true]) {
      const answers = await pipeline(
        { path: '/cookies', body: smuggled, chunked },
        { method: 'HEAD', path: '/cookies', body: smuggled, chunked },
        { method: 'DELETE', path: '/things/1', headers: [JSON_TYPE], body: smuggled, chunked },
        { method: 'OPTIONS', path: '/cookies', body: smuggled, chunked },
        { path: '/stored' },
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 204, 204, 200]);
    }
  });

  it('413 for a GET or DELETE with a large one', async () => {
    for (const chunked of [false, true]) {
      const body = 'x'.repeat(65_537);
      expectError(await send({ path: '/cookies', body, chunked }), 413, 'payload_too_large');
      expectError(
        await send({ method: 'DELETE', path: '/things/1', body, chunked }),
        413,
        'payload_too_large',
      );
    }
  });

  it('the connection goes on after a refusal, and the body is off the wire', async () => {
    const body = `${'x'.repeat(70_000)}GET /cookies HTTP/1.1\r\nHost: a\r\n\r\n`;
    const answers = await pipeline(
      { method: 'POST', path: '/nowhere', body },
      { method: 'POST', path: '/cookies', body, chunked: true },
      { method: 'POST', path: '/echo', headers: [JSON_TYPE], body },
      { method: 'POST', path: '/echo', headers: [JSON_TYPE], body, chunked: true },
      { method: 'POST', path: '/echo', headers: ['Content-Type: ///'], body: '{}' },
      { method: 'POST', path: '/echo', headers: [JSON_TYPE], body: '{' },
      { path: '/stored' },
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 405, 413, 413, 415, 400, 200]);
  });

  it.each([
    ['both lengths', 'Content-Length: 2\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['two Content-Length lines', 'Content-Length: 2\r\nContent-Length: 3', '{}'],
    ['two equal Content-Length lines', 'Content-Length: 2\r\nContent-Length: 2', '{}'],
    ['a Content-Length that is no number', 'Content-Length: 2x', '{}'],
    ['a negative Content-Length', 'Content-Length: -2', '{}'],
    ['a chunked that is not last', 'Transfer-Encoding: chunked, gzip', '{}'],
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked', '2\r\n{}\r\n0\r\n\r\n'],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked', '{}'],
    ['a bad chunk', 'Transfer-Encoding: chunked', 'zz\r\n{}\r\n0\r\n\r\n'],
    ['a header without a name', ': x', ''],
    ['a folded header', 'X-A: b\r\n c', ''],
    ['a header with a space before its colon', 'X-A : b', ''],
    ['a bare LF', 'X-A: b\nX-B: c', ''],
    ['a bare CR', 'X-A: b\rc', ''],
    ['NUL in a header', 'X-A: \0', ''],
  ])('400 and the end of the connection for %s', async (_, header, body) => {
    const text = await raw(
      port,
      `POST /echo HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}\r\n${header}\r\n\r\n${body}`,
      'GET /cookies HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    const answers = parseAnswers(text);
    expect(answers).toHaveLength(1);
    expectError(answers[0]!, 400, 'invalid_request');
    expect(answers[0]!.headers['connection']).toBe('close');
  });

  it('400 and the end of the connection for chunks in HTTP/1.0 (RFC 9112 §6.1)', async () => {
    const text = await raw(
      port,
      `POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    );
    expectError(parseAnswers(text)[0]!, 400, 'invalid_request');
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version that is none', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n'],
    ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5])],
  ])('400 in JSON for %s', async (_, bytes) => {
    const [answer] = parseAnswers(await raw(port, bytes));
    expectError(answer!, 400, 'invalid_request');
  });

  it('431 in JSON for headers that are too large', async () => {
    const [answer] = parseAnswers(
      await raw(port, `GET /cookies HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    );
    expectError(answer!, 431, 'invalid_request');
  });

  it('a bad second request does not answer for the first one', async () => {
    const text = await raw(port, 'GET /slow?ms=50 HTTP/1.1\r\nHost: a\r\n\r\n', 'BREW / HTTP/1.1\r\n\r\n');
    expect(text).not.toContain('400');
  });

  it('Expect: 100-continue is continued', async () => {
    const headers = [JSON_TYPE, 'Expect: 100-continue'];
    expect((await send({ method: 'POST', path: '/echo', headers, body: '{}' })).status).toBe(200);
  });
});

describe('listening', () => {
  it('binds one address for localhost, so that nothing is served without the limits', async () => {
    const app = await createHttpApp(TestModule, OPTIONS);
    await listen(app, 0, 'localhost');
    expect(app.getHttpAdapter().getInstance().addresses()).toMatchObject([{ address: '127.0.0.1' }]);
    await app.close();
  });

  it('fails when the port is taken', async () => {
    const app = await createHttpApp(TestModule, { ...OPTIONS, nestLogger: false });
    await expect(listen(app, port, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
    await app.close();
  });
});

describe('the access log', () => {
  it('knows the route and never the path, the query, a header or a body', async () => {
    logged.length = 0;
    const { headers } = await send({
      path: `/things/${SECRET}?token=${SECRET}`,
      headers: [`Authorization: Bearer ${SECRET}`],
    });
    await send({ path: `/${SECRET}` });
    await send({ method: 'POST', path: '/echo', headers: [JSON_TYPE], body: `{"token":"${SECRET}"}` });
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: 20,
        requestId: headers['x-request-id'],
        method: 'GET',
        route: '/things/:id',
        status: 200,
      }),
    );
    expect(JSON.stringify(logged)).not.toContain(SECRET);
  });
});

describe('stopping', () => {
  it('serves during the delay, closing each connection with its answer, then closes', async () => {
    const state = new DrainState();
    const [app, port] = await start({ ...OPTIONS, drain: state });
    const idle = connect(port, '127.0.0.1');
    const busy = connect(port, '127.0.0.1');
    const silent = connect(port, '127.0.0.1');
    busy.write(GET);
    expect(await once(busy)).toContain('Connection: keep-alive');
    idle.write(GET);
    await once(idle);
    expect([state.draining, isDraining(app)]).toEqual([false, false]);

    const over = Promise.all([happened(busy, 'close'), happened(idle, 'close'), happened(silent, 'close')]);
    const stopped = soonerThan(3_000, drain(app, { delayMs: 1_000, limitMs: 5_000 }));
    expect([state.draining, isDraining(app)]).toEqual([true, true]);
    busy.write(GET);
    const answer = await once(busy);
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(answer).toMatch(/Connection: close/i);
    expect(await raw(port, GET)).toMatch(/Connection: close/i);

    await over;
    expect(await stopped).toBe(true);
    await expect(raw(port, GET)).rejects.toThrow('ECONNREFUSED');
  });

  it('finishes what was in flight before it began, and is idempotent', async () => {
    const [app, port] = await start();
    const arrived = happened(app.getHttpServer(), 'request');
    const slow = raw(port, 'GET /slow?ms=400 HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived;
    const options = { delayMs: 0, limitMs: 5_000 };
    const [first, second] = [drain(app, options), drain(app, options)];
    expect(await slow).toMatch(/Connection: close[^]*"slow":true/i);
    expect(await Promise.all([first, second])).toEqual([true, true]);
  });

  it('cuts what does not finish in time', async () => {
    const [app, port] = await start();
    const arrived = happened(app.getHttpServer(), 'request');
    const slow = raw(port, 'GET /slow?ms=3000 HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived;
    const drained = drain(app, { delayMs: 0, limitMs: 300 });
    expect(await soonerThan(1_500, drained)).toBe(false);
    expect(await slow).toBe('');
  });
});

describe('TLS', () => {
  it('serves with its own certificate, and stops', async () => {
    const tls = await selfSigned();
    const [app, port] = await start({ ...OPTIONS, tls });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        path: '/cookies',
        ca: tls.cert,
        headers: { connection: 'keep-alive' },
      };
      httpsRequest(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    const bad = await raw(port, 'GET / HTTP/1.1\r\n\r\n');
    expect(bad).not.toContain('200');
    const silent = [connectTls({ port, ca: tls.cert, host: '127.0.0.1' }), connect(port, '127.0.0.1')];
    await Promise.all([happened(silent[0]!, 'secureConnect'), happened(silent[1]!, 'connect')]);
    expect(await drain(app, { delayMs: 0, limitMs: 5_000 })).toBe(true);
  });

  it('stops when a handshake ends after the port has closed: nobody waits for what is silent', async () => {
    const tls = await selfSigned();
    const [app, port] = await start({ ...OPTIONS, tls });
    const held: Buffer[] = [];
    let first = true;
    const upstream = connect(port, '127.0.0.1');
    const between = createServer((client) => {
      upstream.pipe(client);
      // the greeting passes; what ends the handshake waits
      client.on(
        'data',
        (bytes: Buffer) => (first ? upstream.write(bytes) : held.push(bytes)) && (first = false),
      );
      client.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await happened(between, 'listening');
    const { port: inBetween } = between.address() as AddressInfo;
    const client = connectTls({ port: inBetween, ca: tls.cert, host: '127.0.0.1' });
    client.on('error', () => undefined);
    await happened(client, 'secureConnect');
    await vi.waitFor(() => expect(held).not.toEqual([]), PATIENTLY);
    const stopped = drain(app, { delayMs: 0, limitMs: 5_000 });
    await vi.waitFor(() => expect(app.getHttpServer().listening).toBe(false), PATIENTLY);
    upstream.write(Buffer.concat(held));
    expect(await stopped).toBe(true);
    client.destroy();
    between.close();
  });
});

describe('what takes its time', () => {
  it('headers and bodies: the connection is closed within 15 s', { timeout: 60_000 }, async () => {
    const answers = await slow;
    for (const text of answers) {
      const parsed = parseAnswers(text);
      expect(parsed.length).toBeLessThanOrEqual(1);
      for (const answer of parsed) expectError(answer, 408, 'invalid_request');
    }
  });
});
