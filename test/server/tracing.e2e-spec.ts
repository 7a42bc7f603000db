import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { RemoteValidator } from 'keks-guard/remote';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { untilWaiting } from '../support/locks.js';
import { addClient, basic, submit } from '../support/oauth.js';
import { startOwnApi } from '../support/own-api.js';
import { get, PASSWORD, request, startTestApp, type TestApp, PATIENT_MS } from '../support/test-app.js';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

/** As OTLP spells it in JSON. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string }[];
  readonly status: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SERVER_KIND = 2;
const ERROR = 2;

const valuesOf = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));

/** What of OpenTelemetry this process has loaded, but for the interfaces, which prom-client always brings along. */
const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => /@opentelemetry.(?!api\b)/.test(path));

describe('traces', () => {
  let database: TestDatabase;
  let collector: Server;
  let keks: TestApp;
  const bodies: string[] = [];
  const paths: string[] = [];
  let loadedWithout: string[];

  const exports = (): Export[] => bodies.map((body) => JSON.parse(body) as Export);
  const spans = (): Span[] =>
    exports().flatMap((one) =>
      one.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );

  async function untilSeen(name: string, traceId?: string): Promise<Span> {
    const find = (): Span | undefined =>
      spans().find((span) => span.name === name && (traceId === undefined || span.traceId === traceId));
    await expect.poll(find, { timeout: 90_000 }).toBeDefined();
    return find()!;
  }

  beforeAll(async () => {
    database = await createDatabase();
    const untraced = await startTestApp({}, database);
    await untraced.addUser('eater');
    await get(untraced.url, '/cookies', await untraced.login('eater'));
    loadedWithout = loaded();
    await untraced.app.close();

    collector = createServer((incoming, response) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      incoming.on('end', () => {
        paths.push(`${incoming.method} ${incoming.url} ${incoming.headers['content-type']}`);
        bodies.push(body);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    Object.assign(process.env, {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_SERVICE_NAME: 'bakery-authority',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_EXPORTER_OTLP_TIMEOUT: '400',
    });
    keks = await startTestApp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, database);
  }, 30_000);

  afterAll(async () => {
    await keks?.app.close();
    await database?.close();
    collector?.close();
  });

  it('load nothing of OpenTelemetry when no collector is named', () => {
    expect(loadedWithout).toEqual([]);
    expect(loaded()).not.toEqual([]);
  });

  it('show a request for cookies below the caller’s own trace, and the batch that its token was looked up in', async () => {
    const token = await keks.login('eater');
    const answer = await request(keks.url, '/cookies', {
      headers: { authorization: `Bearer ${token}`, traceparent: `00-${TRACE}-${PARENT}-01` },
    });
    expect(answer.status).toBe(200);

    const server = await untilSeen('GET /cookies');
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: SERVER_KIND });
    expect(valuesOf(server.attributes)).toEqual({
      'http.request.method': 'GET',
      'http.route': '/cookies',
      'http.response.status_code': 200,
      'keks.request_id': answer.headers.get('x-request-id'),
    });
    const batch = await untilSeen('look up access tokens', TRACE);
    expect(batch.parentSpanId).toBe(server.spanId);
    expect(valuesOf(batch.attributes)).toEqual({ 'keks.batch.size': 1 });
    expect(new Set(paths)).toEqual(new Set(['POST /v1/traces application/json']));
  });

  it('link a batch to every request that shares it', async () => {
    const token = await keks.login('eater');
    const { client } = keks.database;
    // while two look-ups wait, what comes meanwhile goes together
    const together = async (): Promise<void> => {
      await client.query('BEGIN; LOCK TABLE access_tokens IN ACCESS EXCLUSIVE MODE');
      const asked = Promise.all(Array.from({ length: 40 }, () => get(keks.url, '/cookies', token)));
      await untilWaiting(keks.database, 2);
      await client.query('COMMIT');
      await asked;
    };
    const linked = (): Span | undefined =>
      spans().find((span) => span.name === 'look up access tokens' && (span.links?.length ?? 0) > 0);
    const asked = async (): Promise<Span | undefined> => {
      if (!linked()) await together();
      return linked();
    };
    await expect.poll(asked, { timeout: 50_000, interval: 200 }).toBeDefined();
    const shared = linked()!;
    expect(valuesOf(shared.attributes)['keks.batch.size']).toBe(1 + shared.links!.length);
    expect(shared.links!.map(({ traceId }) => traceId)).not.toContain(shared.traceId);
  });

  it('show the login lane and the mint below a login, though its body comes later than its head', async () => {
    const server = await untilSeen('POST /issue');
    expect(server.parentSpanId ?? '').toBe('');
    for (const name of ['login lane', 'mint'])
      expect(await untilSeen(name, server.traceId)).toMatchObject({ parentSpanId: server.spanId });
  });

  it('bear the service’s name by the standard variable', async () => {
    await untilSeen('GET /cookies');
    for (const { resourceSpans } of exports())
      for (const { resource } of resourceSpans)
        expect(valuesOf(resource.attributes)).toMatchObject({ 'service.name': 'bakery-authority' });
  });

  it('go on from an API of one’s own: RemoteValidator passes the traceparent on, and only a good one', async () => {
    const { clientId, clientSecret } = await addClient(keks, { audience: [keks.config.AUDIENCE] });
    const validator = new RemoteValidator({
      introspectionEndpoint: `${keks.url}/oauth/introspect`,
      timeoutMs: PATIENT_MS,
      clientId,
      clientSecret,
    });
    const api = await startOwnApi('Express', { realm: 'Own', validator });
    const token = await keks.login('eater');
    const ask = (traceparent: string): Promise<unknown> =>
      request(api.url, '/cookies', { headers: { authorization: `Bearer ${token}`, traceparent } });
    const trace = TRACE.replace('4', '5');
    await ask('00-nothing-like-a-traceparent');
    await ask(`00-${trace}-${PARENT}-01`);
    const introspection = await untilSeen('POST /oauth/introspect', trace);
    expect(introspection.parentSpanId).toBe(PARENT);
    expect(await untilSeen('look up client secrets', trace)).toMatchObject({
      parentSpanId: introspection.spanId,
    });
    await api.close();
  });

  it('tell of faults, and of what is nowhere by no name of the caller’s', async () => {
    await request(keks.url, '/kat_in_the_path?token=kat_in_the_query', { method: 'PROPFIND' });
    const stray = await untilSeen('_OTHER');
    expect(valuesOf(stray.attributes)['http.response.status_code']).toBe(404);
    expect(stray.status.code ?? 0).not.toBe(ERROR);
  });

  it('have no secret in them', async () => {
    const client = await addClient(keks);
    const token = await keks.login('eater', 'cookies:eat offline_access');
    const form = { grant_type: 'client_credentials' };
    const { body } = await submit(keks.url, '/oauth/token', form, basic(client));
    await request(keks.url, `/keys/${token}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    await untilSeen('POST /oauth/token');
    await untilSeen('DELETE /keys/:id');
    const everything = bodies.join('\n');
    const { access_token } = body as { access_token: string };
    for (const secret of [
      token,
      access_token,
      client.clientSecret,
      PASSWORD,
      'eater',
      'kat_',
      'krt_',
      'kcs_',
    ])
      expect(everything).not.toContain(secret);
    expect(everything).toContain('/oauth/token');
  });

  it('that no collector takes cost no request anything; the log says so, and the stop does not wait', async () => {
    const token = await keks.login('eater');
    collector.close();
    collector.closeAllConnections();
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    const warned = (): string | undefined => keks.log.find((line) => line.includes('tracing: '));
    await expect.poll(warned, { timeout: 90_000 }).toBeDefined();
    expect(JSON.parse(warned()!)).toMatchObject({ level: 40, msg: 'tracing: spans could not be sent' });
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    const before = performance.now();
    await keks.app.close();
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
