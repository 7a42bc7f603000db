import { Validator } from '@seriousme/openapi-schema-validator';
import draft4 from 'ajv-draft-04';
import { randomUUID } from 'node:crypto';
import { BEARER_ERRORS } from 'keks-guard/internals';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIRE_ERRORS } from '../../src/http/errors/wire-error.js';
import { closed } from '../support/closed.js';
import { isListed } from '../support/error-shape.js';
import { addClient, basic, clientToken, type TestClient } from '../support/oauth.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

interface Media {
  readonly schema?: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Body {
  readonly description?: string;
  readonly headers?: object;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly servers: readonly { readonly url: string }[];
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: {
      readonly oauth2: {
        readonly flows: {
          readonly clientCredentials: { readonly tokenUrl: string; readonly scopes: Record<string, string> };
        };
      };
    };
  };
}

interface Documented {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const CODES = new Set([...Object.keys(BEARER_ERRORS), ...Object.keys(WIRE_ERRORS)]);
const DEMO_PASSWORD = 'U+1F36A';

describe('GET /docs-json', () => {
  let keks: TestApp;
  let document: Document;
  /** Those of the document, every `$ref` replaced by what it refers to. */
  let operations: Documented[];
  let client: TestClient;
  let app: TestClient;
  let rows: { password_hash: string }[];

  beforeAll(async () => {
    keks = await startTestApp({
      REGISTRATION: 'open',
      REGISTRATION_SCOPE: 'cookies:eat',
      REGISTRATIONS_PER_ADDRESS: '1000',
    });
    await keks.addUser('CookieDestroyer', 'cookies:eat keks:admin keks:metrics', DEMO_PASSWORD);
    client = await addClient(keks, { audience: [keks.config.AUDIENCE] });
    app = await addClient(keks, { deviceGrant: true, redirectUris: ['https://app.example/done'] });
    ({ rows } = await keks.database.client.query<{ password_hash: string }>(
      'SELECT password_hash FROM users',
    ));
    document = (await request(keks.url, '/docs-json', {})).body as Document;
    const validator = new Validator();
    const verdict = await validator.validate(structuredClone(document) as object as Record<string, unknown>);
    expect(verdict.errors).toBeUndefined();
    operations = operationsOf(validator.resolveRefs() as object as Document);
  });

  afterAll(() => keks.close());

  it('is a valid OpenAPI 3 document', async () => {
    expect(document.openapi).toMatch(/^3\./);
    const verdict = await new Validator().validate(document as object as Record<string, unknown>);
    expect(verdict).toMatchObject({ valid: true });
  });

  it('has every route and no other, but for the pages that a client or a link leads a person to', () => {
    const tree = keks.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }) as string;
    const told = routesOf(tree).filter(
      (route) => !/ \/(?:oauth\/authorize|device|password-reset)\b/.test(route),
    );
    expect(operations.map((one) => one.name).sort()).toEqual(told);
  });

  it('tells them in the order in which they are read, whatever modules they are in', () => {
    const groups = operations.map(({ operation }) => operation.tags?.[0]);
    const turns = groups.filter((group, at) => group !== groups[at - 1]);
    // the numbers of the console are of `operating` by their module, and for operators by their group
    const ofOps = ['operating', 'admin', 'operating'];
    expect(turns).toEqual(
      ['tokens', 'oauth', 'keys', 'account', 'admin', 'discovery', 'cookies', ofOps, 'pages'].flat(),
    );
  });

  it('names and groups every operation', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const groups = new Set(document.tags.map((tag) => tag.name));
    for (const { name, operation } of operations) {
      expect(operation.summary, name).toBeTruthy();
      expect(operation.description, name).toBeTruthy();
      expect(operation.tags, name).toHaveLength(1);
      expect(groups, name).toContain(operation.tags?.[0]);
    }
    for (const tag of document.tags) expect(tag.description, tag.name).toBeTruthy();
  });

  it('names the public address; the page asks where it was loaded from', async () => {
    expect(document.servers.map((server) => server.url)).toEqual([keks.config.ISSUER]);
    const script = await (await fetch(`${keks.url}/docs/swagger-ui-init.js`)).text();
    expect(script).toMatch(/"servers": \[\s*\{\s*"url": "\."\s*\}\s*\]/);
    expect(script).toContain('"tokenUrl": "./oauth/token"');
  });

  it('says of each route whether it is open, as the guard sees it', async () => {
    for (const one of operations) {
      expect(one.operation.security, one.name).toBeInstanceOf(Array);
      const { status } = await request(keks.url, await withId(one.path), { method: one.method });
      if (wants(one.operation, 'bearer')) expect(status, one.name).toBe(401);
      else if (!wants(one.operation, 'client') && !wants(one.operation, 'registration'))
        expect([200, 302, 400, 415], one.name).toContain(status);
    }
  });

  it('has what generated clients stumble over nowhere', () => {
    const names = Object.keys(document.components.schemas);
    // the generators' own: a client and, for each type, a function that makes one
    expect(names).not.toContain('Client');
    for (const name of names) expect(names).not.toContain(`New${name}`);
    const text = JSON.stringify(document);
    expect(text).not.toContain('"additionalProperties":false');
    expect(text).not.toMatch(/"format":"[^"]*","pattern"|"pattern":"[^"]*","format"/);
  });

  it('names all ways in which a client can say who it is, wherever one has to', () => {
    const asked = operations.filter(({ operation }) => wants(operation, 'client'));
    expect(asked.map(({ path }) => path).sort()).toEqual([
      ...['/oauth/device_authorization', '/oauth/introspect', '/oauth/par'],
      ...['/oauth/revocations', '/oauth/revoke', '/oauth/token'],
    ]);
    const ways = ['client_assertion', 'client_assertion_type', 'client_id', 'client_secret'];
    for (const { name, operation } of asked)
      expect(namesOf(operation.requestBody), name).toEqual(expect.arrayContaining(ways));
  });

  it('has the header DPoP where a proof is read and no token comes with it (RFC 9449 §5, §10.1)', () => {
    const proven = operations.filter(({ operation }) =>
      operation.parameters?.some((one) => one.in === 'header' && one.name === 'DPoP'),
    );
    expect(proven.map(({ name }) => name).sort()).toEqual([
      ...['POST /issue', 'POST /oauth/par', 'POST /oauth/token'],
    ]);
    for (const { name, operation } of operations)
      for (const answer of Object.values(operation.responses))
        if (errorsOf(answer).some(({ error }) => error === 'use_dpop_nonce')) {
          expect(answer.headers, name).toHaveProperty('DPoP-Nonce');
          if (!wants(operation, 'bearer')) expect(proven.map((one) => one.name)).toContain(name);
        }
  });

  it('takes an initial access token where a client registers, and none where nobody wants one (RFC 7591 §3)', () => {
    const [register] = operations.filter(({ name }) => name === 'POST /oauth/register');
    expect(register?.operation.security).toHaveLength(2);
    expect(register?.operation.security).toEqual(expect.arrayContaining([{}, { initial: [] }]));
  });

  it('types every body', () => {
    for (const { name, operation } of operations)
      for (const body of bodiesOf(operation))
        for (const media of Object.values(body.content ?? {}))
          expect(media.schema, name).toBeTypeOf('object');
  });

  it('types every error: the one shape, a code of the closed list, and what comes with its status', () => {
    for (const { name, operation } of operations) {
      const wanted = ['400', '500', '503'];
      if (operation.requestBody) wanted.push('413', '415');
      if (operation.security?.length) wanted.push('401');
      if (wants(operation, 'bearer')) wanted.push('403');
      for (const status of wanted) expect(Object.keys(operation.responses), name).toContain(status);
      for (const [status, answer] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const errors = errorsOf(answer);
        expect(errors.length, `${name} ${status}`).toBeGreaterThan(0);
        for (const { error } of errors) {
          expect(CODES, name).toContain(error);
          expect(answer.description, name).toContain(`\`${error}\``);
        }
        if (status === '401') expect(answer.headers, name).toHaveProperty('WWW-Authenticate');
        if (status === '503' || status === '429') expect(answer.headers, name).toHaveProperty('Retry-After');
      }
    }
  });

  it('has an example for every body, and each is what its schema says', () => {
    for (const { name, operation } of operations)
      for (const body of bodiesOf(operation))
        for (const media of Object.values(body.content ?? {})) {
          const examples = examplesOf(media);
          expect(examples.length, name).toBeGreaterThan(0);
          for (const example of examples) expect(flaws(media, example), name).toEqual([]);
        }
  });

  it('has examples that work when sent, and answers of the documented shape', async () => {
    for (const one of operations) {
      const answer = await send(one, exampleOf(one.operation.requestBody));
      await forgetNewPassword();
      const documented = one.operation.responses[String(answer.status)];
      expect([200, 201, 202, 204, 302], one.name).toContain(answer.status);
      expect(documented, `${one.name} ${answer.status}`).toBeDefined();
      for (const media of Object.values(documented?.content ?? {}))
        expect(flaws(media, answer.body), one.name).toEqual([]);
    }
  });

  it('names no lock that no route has, and no list of one schema', () => {
    const used = new Set(
      operations.flatMap(({ operation }) => (operation.security ?? []).flatMap(Object.keys)),
    );
    expect(new Set(Object.keys(document.components.securitySchemes))).toEqual(used);
    expect(JSON.stringify(document)).not.toMatch(/\{"allOf":\[\{[^{}]*\}\]\}/);
  });

  it('offers the client credentials flow where a client may pass, and nowhere else (RFC 6749 §4.4)', async () => {
    const { tokenUrl, scopes } = document.components.securitySchemes.oauth2.flows.clientCredentials;
    const scope = Object.keys(scopes).join(' ');
    expect(scope).toBe('cookies:eat keks:admin keks:metrics');
    const system = await addClient(keks, { scope: scope.split(' ') });
    const answer = await request(keks.url, new URL(tokenUrl, `${keks.url}/docs`).pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic(system) },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
    });
    const { access_token } = answer.body as { access_token: string };
    for (const one of operations.filter(({ operation }) => wants(operation, 'bearer'))) {
      const headers = { authorization: `Bearer ${access_token}` };
      // without a body, or about nothing that exists: who may pass hears of that
      const { status } = await request(keks.url, one.path, { method: one.method, headers });
      if (wants(one.operation, 'oauth2')) expect([200, 400, 404], one.name).toContain(status);
      else expect(status, one.name).toBe(403);
    }
  });

  it('has error examples that are the real answers', async () => {
    for (const one of operations) {
      if (one.operation.requestBody) {
        // of what can be left out altogether, something that is wrong
        const wrong = one.path === '/oauth/device_authorization' ? { resource: 'x' } : {};
        const refused = await send(one, wrong);
        expect(refused.status, one.name).toBe(400);
        const documented = errorsOf(one.operation.responses['400']);
        // where nothing has to be there, the sentence is about all of it
        if (requiredOf(one.operation.requestBody).length > 0)
          expect(documented, one.name).toContainEqual(refused.body);
        else
          expect(documented, one.name).toContainEqual(expect.objectContaining({ error: 'invalid_request' }));
        expect(refused.body, one.name).toSatisfy((body: unknown) => isListed(body));
      }
      if (one.operation.security?.length && !isOpen(one.operation)) {
        const example = exampleOf(one.operation.requestBody);
        const refused = await send({ ...one, operation: { ...one.operation, security: [] } }, example);
        expect(refused.status, one.name).toBe(401);
        expect(errorsOf(one.operation.responses['401']), one.name).toContainEqual(refused.body);
      }
    }
  });

  /** As Swagger UI does: the example in the documented type, with the credentials that are wanted. */
  async function send({ method, path, operation }: Documented, example: unknown): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (wants(operation, 'bearer')) headers['authorization'] = `Bearer ${await freshToken()}`;
    // what there is for clients that act for people is none of the others' business
    const who = /^\/oauth\/(?:device_authorization|par)$/.test(path) ? app : client;
    if (wants(operation, 'client')) Object.assign(headers, basic(who));
    const registered = path.startsWith('/oauth/register/') ? await register() : undefined;
    if (registered && wants(operation, 'registration'))
      headers['authorization'] = `Bearer ${registered.registration_access_token}`;
    const address = registered ? `/oauth/register/${registered.client_id}` : await withId(path);
    if (example === undefined) return request(keks.url, address, { method, headers });
    const [type = ''] = Object.keys(operation.requestBody?.content ?? {});
    headers['content-type'] = type;
    const body = {
      ...(await withTokens(example, wants(operation, 'client'))),
      ...('client_id' in (example as object) && registered && { client_id: registered.client_id }),
    };
    return request(keks.url, address, { method, headers, body: encode(type, body) });
  }

  async function register(): Promise<{ client_id: string; registration_access_token: string }> {
    const body = { redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' };
    const answer = await post(keks.url, '/oauth/register', body);
    return answer.body as { client_id: string; registration_access_token: string };
  }

  /** Documents cannot contain a token that works: whoever tries pastes one in place of `kat_...`. */
  async function withTokens(example: unknown, ofClient: boolean): Promise<Record<string, unknown>> {
    const filled = Object.entries(example as object).map(async ([name, value]: [string, unknown]) => {
      if (value !== 'kat_...') return [name, value] as const;
      return [name, ofClient ? (await clientToken(keks, client)).access_token : await freshToken()] as const;
    });
    return Object.fromEntries(await Promise.all(filled));
  }

  /** What `{id}` stands for in each path that has one: something that was made for this attempt. */
  async function withId(path: string): Promise<string> {
    if (!path.includes('{')) return path;
    if (path.startsWith('/oauth/register/')) return path.replace('{client_id}', (await register()).client_id);
    const token = await freshToken();
    const make = async (where: string, body: object): Promise<Record<string, string>> =>
      (await post(keks.url, where, body, { authorization: `Bearer ${token}` })).body as Record<
        string,
        string
      >;
    const makers: Record<string, () => Promise<Record<string, string | undefined>>> = {
      '/keys/{id}': () => make('/keys', { label: 'oven', password: DEMO_PASSWORD }),
      '/sessions/{id}': async () => {
        const { items } = (await get(keks.url, '/sessions', token)).body as { items: object[] };
        return { id: idOf(items.find((one) => 'current' in one && one.current === true)) };
      },
      '/admin/users/{id}': () => make('/admin/users', { name: randomUUID(), password: PASSWORD }),
      '/admin/initial-access-tokens/{id}': () => make('/admin/initial-access-tokens', { label: 'bakers' }),
      '/admin/receivers/{id}': async () => {
        const { rows } = await keks.database.client.query<{ id: string }>(
          `INSERT INTO receivers (name, url, audience) VALUES (gen_random_uuid(), 'https://receiver.example/', 'x') RETURNING id`,
        );
        return { id: rows[0]?.id };
      },
      '/admin/grants/{id}': () => make('/keys', { label: 'oven', password: DEMO_PASSWORD }),
      '/consents/{client_id}': async () => {
        const app = { name: 'app', redirect_uris: ['https://app.example/done'] };
        const { client_id: id } = await make('/admin/clients', app);
        await keks.database.client.query(
          `INSERT INTO grants (kind, user_id, client_id, scope, expires_at)
           SELECT 'consent', user_id, $1, 'cookies:eat', '2100-01-01Z' FROM grants WHERE kind = 'login' ORDER BY created_at DESC LIMIT 1`,
          [id],
        );
        return { client_id: id };
      },
      '/admin/scopes/{scope}': async () => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const body = JSON.stringify({ description: 'eat your cookies' });
        await request(keks.url, '/admin/scopes/cookies:eat', { method: 'PUT', headers, body });
        return { scope: 'cookies:eat' };
      },
      '/admin/clients/{id}': async () => {
        const added = await make('/admin/clients', { name: 'oven' });
        return { id: added['client_id'], secret_id: added['secret_id'] };
      },
    };
    const known = Object.keys(makers).find((one) => path.startsWith(one));
    if (known === undefined) throw new Error(`this test does not know yet what {id} is in ${path}`);
    const ids = await makers[known]?.();
    return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids?.[name] ?? '');
  }

  /** `PUT /password` works too, and would leave no example of a login that does. */
  async function forgetNewPassword(): Promise<void> {
    await keks.database.client.query('UPDATE users SET password_hash = $1', [rows[0]?.password_hash]);
  }

  const freshToken = (): Promise<string> => keks.login('CookieDestroyer', undefined, DEMO_PASSWORD);
});

function wants(operation: Operation, scheme: string): boolean {
  return operation.security?.some((one) => scheme in one) ?? false;
}

/** Whether it may also be asked without any credentials. */
function isOpen({ security = [] }: Operation): boolean {
  return security.some((one) => Object.keys(one).length === 0);
}

function namesOf(body: Body | undefined): string[] {
  const [media] = Object.values(body?.content ?? {});
  return Object.keys((media?.schema as { properties?: object } | undefined)?.properties ?? {});
}

function idOf(thing: unknown): string {
  return (thing as { id: string }).id;
}

function operationsOf(document: Document): Documented[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, operation };
    }),
  );
}

/** From the picture that the router draws of itself, without what serves the pages and without HEAD. */
function routesOf(tree: string): string[] {
  const above: string[] = [];
  const routes: string[] = [];
  for (const line of tree.split('\n')) {
    const match = /^((?:[│ ] {3})*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!match) continue;
    const depth = (match[1] ?? '').length / 4;
    const path = (above[depth - 1] ?? '') + (match[2] ?? '');
    above[depth] = path;
    if (/^\/docs(?:-json)?(?:\/|$)|^\/(?:story|console|page|authorize)[.-]/.test(path)) continue;
    for (const method of (match[3] ?? '').split(', '))
      if (method && method !== 'HEAD') routes.push(`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  }
  return routes.sort();
}

function bodiesOf(operation: Operation): Body[] {
  return [...(operation.requestBody ? [operation.requestBody] : []), ...Object.values(operation.responses)];
}

function examplesOf(media: Media): unknown[] {
  if (media.example !== undefined) return [media.example];
  return Object.values(media.examples ?? {}).map((one) => one.value);
}

function exampleOf(body: Body | undefined): unknown {
  return Object.values(body?.content ?? {}).flatMap(examplesOf)[0];
}

function requiredOf(body: Body | undefined): readonly string[] {
  const [media] = Object.values(body?.content ?? {});
  return (media?.schema as { required?: string[] } | undefined)?.required ?? [];
}

function errorsOf(answer: Body | undefined): { error: string }[] {
  return Object.values(answer?.content ?? {}).flatMap(examplesOf) as { error: string }[];
}

/** OpenAPI 3.0 speaks the JSON Schema of draft 4. A schema that is the same object is compiled once. */
const ajv = new draft4.default({ strict: false, validateFormats: false, allErrors: true });

function flaws(media: Media, value: unknown): string[] {
  const validate = ajv.compile(closed(media.schema ?? {}));
  return validate(value) ? [] : (validate.errors ?? []).map((flaw) => `${flaw.instancePath} ${flaw.message}`);
}

function encode(type: string, example: Record<string, unknown>): string {
  if (type !== 'application/x-www-form-urlencoded') return JSON.stringify(example);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(example)) form.set(name, String(value));
  return form.toString();
}
