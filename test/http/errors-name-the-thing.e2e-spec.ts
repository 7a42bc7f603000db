import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { namesOf, operationsOf, type Operation, type Schema } from '../fuzz/document.js';
import { isListed } from '../support/error-shape.js';
import { addClient, basic, type TestClient } from '../support/oauth.js';
import { PASSWORD, post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

const JSON_TYPE = 'application/json';
const MARKER = 'MarkerOfMine';

let keks: TestApp;
let operations: Operation[];
let admin: string;
let client: TestClient;

interface Sent {
  readonly query?: readonly (readonly [string, string])[];
  /** As it goes over the wire. */
  readonly body?: string;
}

interface Named {
  readonly error: string;
  readonly error_description: string;
  readonly parameter?: string;
}

const errorOf = ({ body }: Answer): Named => body as Named;

function send({ method, path, security, body: documented }: Operation, sent: Sent): Promise<Answer> {
  const filled = path
    .replace(/(clients\/)\{id\}/, `$1${client.clientId}`)
    .replace(/\{\w+\}/g, () => randomUUID());
  const query = sent.query
    ? `?${new URLSearchParams(sent.query.map(([name, value]): [string, string] => [name, value])).toString()}`
    : '';
  const headers: Record<string, string> = {
    ...(security === 'client' ? basic(client) : security ? { authorization: `Bearer ${admin}` } : {}),
    ...(documented && { 'content-type': documented.type }),
  };
  return request(keks.url, filled + query, {
    method,
    headers,
    ...(sent.body !== undefined && { body: sent.body }),
  });
}

const members = ({ body }: Operation): [string, Schema][] => Object.entries(body?.schema.properties ?? {});
const queried = ({ parameters }: Operation): string[] =>
  parameters.filter((one) => one.in === 'query').map(({ name }) => name);
const takesJson = ({ body }: Operation): boolean => body?.type === JSON_TYPE;

/** The members that have to be there, as the document shows them. */
function rightBody(operation: Operation): Record<string, unknown> {
  const { properties = {}, required = [] } = operation.body?.schema ?? {};
  return Object.fromEntries(required.map((name) => [name, properties[name]?.example ?? 'x']));
}

const encoded = (operation: Operation, members: Record<string, unknown>): string =>
  takesJson(operation)
    ? JSON.stringify(members)
    : new URLSearchParams(members as Record<string, string>).toString();

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Ann', 'keks:admin cookies:eat');
  admin = await keks.login('Ann');
  client = await addClient(keks);
  operations = await operationsOf(keks.url);
});

afterAll(() => keks.close());

describe('every member of every schema in the document', () => {
  it('is named when it is missing', async () => {
    const required = operations.flatMap((operation) =>
      (operation.body?.schema.required ?? []).map((name) => ({ operation, name })),
    );
    expect(required.length).toBeGreaterThan(12);
    for (const { operation, name } of required) {
      const { [name]: _, ...others } = rightBody(operation);
      const answer = await send(operation, { body: encoded(operation, others) });
      expect([operation.name, answer.status, answer.body]).toEqual([
        operation.name,
        400,
        { error: 'invalid_request', error_description: `The parameter ${name} is missing.`, parameter: name },
      ]);
    }
  });

  it('is named when it is of the wrong form', async () => {
    const all = operations
      .filter(takesJson)
      .flatMap((operation) => members(operation).map(([name]) => ({ operation, name })));
    expect(all.length).toBeGreaterThan(25);
    for (const { operation, name } of all)
      for (const wrong of [{}, [[MARKER]], null]) {
        const body = encoded(operation, { ...rightBody(operation), [name]: wrong });
        const answer = await send(operation, { body });
        expectAbout(operation, answer, name);
      }
  });

  it('is named when a form has it twice', async () => {
    const forms = operations.filter((operation) => operation.body && !takesJson(operation));
    const all = forms.flatMap((operation) => members(operation).map(([name]) => ({ operation, name })));
    expect(all.length).toBeGreaterThan(12);
    for (const { operation, name } of all) {
      const answer = await send(operation, { body: `${name}=a&${name}=b` });
      expectAbout(operation, answer, name);
      expect(errorOf(answer).error_description).toBe(`The parameter ${name} was sent more than once.`);
    }
  });

  it('is named when it is in a query, twice or empty', async () => {
    const all = operations.flatMap((operation) => queried(operation).map((name) => ({ operation, name })));
    expect(all.length).toBeGreaterThan(12);
    for (const { operation, name } of all) {
      const twice = await send(operation, {
        query: [
          [name, '1'],
          [name, '1'],
        ],
      });
      expectAbout(operation, twice, name);
      expect(errorOf(twice).error_description).toBe(`The parameter ${name} was sent more than once.`);
      expectAbout(operation, await send(operation, { query: [[name, '']] }), name);
    }
  });

  it('is named when something like it was sent instead', async () => {
    const required = operations.flatMap((operation) =>
      (operation.body?.schema.required ?? []).map((name) => ({ operation, name })),
    );
    for (const { operation, name } of required)
      for (const alike of [`my_${name}`, name.toUpperCase(), `${name}s`, name.slice(0, -1)]) {
        const { [name]: value, ...others } = rightBody(operation);
        const answer = await send(operation, { body: encoded(operation, { ...others, [alike]: value }) });
        expectAbout(operation, answer, name);
        expect(errorOf(answer).error_description).toMatch(new RegExp(`the member is called ${name}\\.$`));
      }
  });

  function expectAbout(operation: Operation, answer: Answer, name: string): void {
    expect([operation.name, answer.status, errorOf(answer)]).toEqual([
      operation.name,
      400,
      { error: 'invalid_request', error_description: expect.stringContaining(name), parameter: name },
    ]);
  }
});

describe('no error repeats what came in', () => {
  it('whatever it is, wherever it stands', async () => {
    const seen = new Set<number>();
    for (const operation of operations) {
      // the one before may have ended it
      admin = await keks.login('Ann');
      for (const sent of hostile(operation)) {
        const answer = await send(operation, sent);
        seen.add(answer.status);
        if (answer.status < 400) continue;
        expect([operation.name, sent, JSON.stringify(answer.body)]).toEqual([
          operation.name,
          sent,
          expect.not.stringMatching(new RegExp(MARKER, 'i')),
        ]);
        expect(answer.body, `${operation.name} ${JSON.stringify(sent)}`).toSatisfy((body: unknown) =>
          isListed(body, namesOf(operation)),
        );
      }
    }
    expect(seen).toContain(400);
    expect(seen).not.toContain(500);
  });

  /** The marker as a name and as a value, in what can be parsed and in what cannot. */
  function hostile(operation: Operation): Sent[] {
    const right = rightBody(operation);
    const bodies = takesJson(operation) ? hostileJson(operation, right) : hostileForms(operation, right);
    return [
      ...[...queried(operation), MARKER].map((name): Sent => ({
        query: [
          [name, MARKER],
          [MARKER, name],
        ],
      })),
      {
        query: [
          [MARKER, MARKER],
          [MARKER, MARKER],
        ],
      },
      ...(operation.body ? bodies.map((body): Sent => ({ body })) : []),
    ];
  }

  function hostileJson(operation: Operation, right: Record<string, unknown>): string[] {
    const wrong = members(operation).flatMap(([name]) =>
      [MARKER, { [MARKER]: MARKER }, [{ [MARKER]: MARKER }]].map((value) => ({ ...right, [name]: value })),
    );
    const alike = members(operation).map(([name]) => ({ [`${name}_${MARKER}`]: MARKER }));
    return [
      ...[...wrong, ...alike, { [MARKER]: MARKER }].map((one) => JSON.stringify(one)),
      ...[`{"${MARKER}":`, `"${MARKER}"`, `["${MARKER}"]`, `{"${MARKER}":1,"${MARKER}":2}`, MARKER],
      ...[`{"${MARKER}\\u0000":1}`, `{"a":${'['.repeat(40)}"${MARKER}"${']'.repeat(40)}}`],
    ];
  }

  function hostileForms(operation: Operation, right: Record<string, unknown>): string[] {
    const wrong = members(operation).map(([name]) => encoded(operation, { ...right, [name]: MARKER }));
    const alike = members(operation).map(([name]) => `${name}_${MARKER}=${MARKER}`);
    return [...wrong, ...alike, `${MARKER}=1&${MARKER}=2`, `${MARKER}=%zz`, `${MARKER}=%00`, MARKER];
  }
});

describe('what the first ten minutes run into', () => {
  beforeEach(async () => {
    admin = await keks.login('Ann');
  });

  const operation = (name: string): Operation => {
    const found = operations.find((one) => one.name === name);
    if (!found) throw new Error(`no ${name} in the document`);
    return found;
  };
  const refusal = async (name: string, body: string): Promise<[number, Named]> => {
    const answer = await send(operation(name), { body });
    return [answer.status, errorOf(answer)];
  };
  const about = (error: string, parameter: string | undefined, text: RegExp) => ({
    error,
    error_description: expect.stringMatching(text),
    ...(parameter !== undefined && { parameter }),
  });

  it.each([
    ['username for user', { username: 'Ann', password: PASSWORD }, 'user', /the member is called user\.$/],
    ['pass for password', { user: 'Ann', pass: PASSWORD }, 'password', /the member is called password\.$/],
    [
      'another format',
      { user: 'Ann', password: PASSWORD, format: 'paseto' },
      'format',
      /documentation lists/,
    ],
  ])('POST /issue: %s', async (_, body, parameter, text) => {
    expect(await refusal('POST /issue', JSON.stringify(body))).toEqual([
      400,
      about('invalid_request', parameter, text),
    ]);
  });

  it.each(['flavour', 'x', '', 'us', 'u'.repeat(500), 'login', 'e-mail'])(
    'a stranger that resembles nothing is not taken for something: %s',
    async (name) => {
      const body = JSON.stringify({ [name]: 'Ann', password: PASSWORD });
      expect(await refusal('POST /issue', body)).toEqual([
        400,
        about('invalid_request', 'user', /^The parameter user is missing\.$/),
      ]);
    },
  );

  it('a member that need not be there, spelled wrongly where it was the only one', async () => {
    const { body } = await post(
      keks.url,
      '/admin/users',
      { name: 'Zoe', password: PASSWORD },
      { authorization: `Bearer ${admin}` },
    );
    const path = `/admin/users/${(body as { id: string }).id}`;
    const change = { ...operation('PATCH /admin/users/{id}'), path };
    const misspelled = await send(change, { body: '{"disable":true}' });
    expect(errorOf(misspelled)).toEqual(
      about('invalid_request', 'disabled', /the member is called disabled\.$/),
    );
    const nothing = await send(change, { body: '{}' });
    expect(errorOf(nothing)).toEqual(about('invalid_request', undefined, /nothing to change/));
  });

  it.each(['0', '101', '1e1', 'ten', '-1', '1.5'])('a limit of %s', async (limit) => {
    const answer = await send(operation('GET /keys'), { query: [['limit', limit]] });
    expect([answer.status, errorOf(answer)]).toEqual([
      400,
      about('invalid_request', 'limit', /from 1 to 100/),
    ]);
  });

  it('a cursor of another list', async () => {
    const answer = await send(operation('GET /keys'), { query: [['cursor', 'AAAA']] });
    expect([answer.status, errorOf(answer)]).toEqual([400, about('invalid_request', 'cursor', /this list/)]);
  });

  it.each(['{"user":', "{'user':'Ann'}", '{"user":"Ann",}', 'user=Ann'])(
    'JSON that is none: %s',
    async (text) => {
      expect(await refusal('POST /issue', text)).toEqual([
        400,
        about('invalid_request', undefined, /not well-formed JSON/),
      ]);
    },
  );

  it('a name that is taken, however it is spelled', async () => {
    for (const name of ['Ann', 'aNN', 'Ａnn'])
      expect(await refusal('POST /admin/users', JSON.stringify({ name, password: PASSWORD }))).toEqual([
        409,
        about('name_taken', 'name', /taken/),
      ]);
    expect(await refusal('POST /admin/clients', JSON.stringify({ name: 'Keks' }))).toEqual([
      409,
      about('name_taken', 'name', /reserved/),
    ]);
  });

  it.each([
    ['hunter2', /too short/],
    ['aaaaaaaaaaaaaaaaaaaaaaaa', /first that an attacker would try/],
    ['passwordpassword1234', /first that an attacker would try/],
  ])('a weak password: %s', async (password, text) => {
    const bodies = [
      ['POST /admin/users', { name: 'Bob', password }, 'password'],
      ['PUT /password', { old_password: PASSWORD, new_password: password }, 'new_password'],
    ] as const;
    for (const [name, body, parameter] of bodies)
      expect(await refusal(name, JSON.stringify(body))).toEqual([
        400,
        about('weak_password', parameter, text),
      ]);
  });

  it.each([
    ['a refresh token that is not there', 'grant_type=refresh_token', 'invalid_request', 'refresh_token'],
    ['another grant type', 'grant_type=password', 'unsupported_grant_type', 'grant_type'],
    ['another scope', 'grant_type=client_credentials&scope=x', 'invalid_scope', 'scope'],
    ['another resource', 'grant_type=client_credentials&resource=urn:x', 'invalid_target', 'resource'],
    [
      'two client secrets',
      'grant_type=client_credentials&client_secret=x',
      'invalid_request',
      'client_secret',
    ],
    ['two client ids', 'grant_type=client_credentials&client_id=x', 'invalid_request', 'client_id'],
  ])('POST /oauth/token: %s', async (_, form, error, parameter) => {
    expect(await refusal('POST /oauth/token', form)).toEqual([400, about(error, parameter, /^[A-Z].*\.$/)]);
  });
});
