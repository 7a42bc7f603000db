import fc from 'fast-check';
import { BODY_LIMIT } from '../../src/http/body/body-reader.js';
import { garbled, hostileText, Placeholder, valueOf } from './values.js';
import type { Operation, Parameter } from './document.js';

/** Who asks: `other` is the kind of credentials that the operation does not want. */
export const CALLERS = [
  'nobody',
  'user',
  'admin',
  'client',
  'registered client',
  'api key',
  'revoked',
  'refresh token',
  'garbage',
] as const;
export type Caller = (typeof CALLERS)[number];

/** One request, before the placeholders in it (see `Pool`) are filled in. */
export interface Attempt {
  readonly caller: Caller;
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: readonly (readonly [string, unknown])[];
  readonly headers: Readonly<Record<string, string>>;
  /** A value to be encoded as the operation documents, or a text that is sent as it is. */
  readonly body: { readonly value: unknown } | { readonly text: Buffer } | undefined;
}

/** Requests to an operation: most nearly right, some a little wrong, some as bad as can be. */
export function attempts(operation: Operation): fc.Arbitrary<Attempt> {
  const named = (where: Parameter['in']) => operation.parameters.filter((one) => one.in === where);
  const path = fc.record(
    Object.fromEntries(
      named('path').map(({ name, schema }) => [
        name,
        fc.oneof(
          { weight: 6, arbitrary: fc.constant(new Placeholder(`${name} in ${operation.path}`, 0)) },
          { weight: 2, arbitrary: valueOf(name, schema) },
          { weight: 1, arbitrary: hostilePath },
        ),
      ]),
    ),
  );
  return fc.record({
    caller: callers(operation),
    path,
    query: query(named('query')),
    headers: headers(operation),
    body: body(operation),
  });
}

function callers({ security }: Operation): fc.Arbitrary<Caller> {
  const fitting: Caller =
    security === 'client' ? 'client' : security === 'registration' ? 'registered client' : 'admin';
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(fitting) },
    { weight: 4, arbitrary: fc.constantFrom(...CALLERS) },
  );
}

const hostilePath = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '%2e%2e',
    '%2F',
    '%00',
    '%',
    '%zz',
    '%ff',
    'a%0d%0aX: y',
    "'",
    '0',
    '-1',
    'null',
  ),
  fc.string({ minLength: 1, maxLength: 200 }).map(encodeURIComponentSafely),
);

function query(parameters: readonly Parameter[]): fc.Arbitrary<(readonly [string, unknown])[]> {
  const junk = fc.tuple(
    fc.constantFrom(
      'access_token',
      'limit',
      'limit[]',
      'cursor',
      '__proto__',
      'constructor[prototype]',
      'q',
      '',
    ),
    hostileText,
  );
  if (parameters.length === 0) return fc.array(junk, { maxLength: 1 });
  const known = fc
    .constantFrom(...parameters)
    .chain(({ name, schema }) =>
      fc.tuple(fc.constant(name), fc.oneof({ weight: 3, arbitrary: valueOf(name, schema) }, hostileText)),
    );
  return fc.oneof(
    { weight: 3, arbitrary: fc.uniqueArray(known, { maxLength: 4, selector: ([name]) => name }) },
    fc.array(fc.oneof({ weight: 3, arbitrary: known }, junk), { maxLength: 4 }),
  );
}

/** What a header line can carry at all; the bytes that it cannot are for test/http/http.e2e-spec.ts. */
const headerText = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 300,
  })
  .map((text) => text.replaceAll('\x7f', ' '));

function headers(operation: Operation): fc.Arbitrary<Record<string, string>> {
  const any = fc.dictionary(
    fc.constantFrom(
      'user-agent',
      'accept',
      'accept-encoding',
      'accept-language',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-request-id',
      'x-http-method-override',
      'origin',
      'referer',
      'cookie',
      'dpop',
      'range',
      'if-none-match',
      'if-modified-since',
    ),
    fc.oneof(
      headerText,
      fc.constantFrom(
        '*/*',
        'text/html',
        '0',
        '*',
        '127.0.0.1',
        'not-an-address',
        '::1, ::ffff:1.2.3.4',
        'DELETE',
      ),
    ),
    { maxKeys: 3 },
  );
  const wrongType = fc.record({
    'content-type': fc.oneof(
      fc.constantFrom(
        'application/json',
        'application/x-www-form-urlencoded',
        'application/json; charset=utf-16',
        'application/json; charset="utf-8"; charset=latin1',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/json;',
        '',
      ),
      headerText,
    ),
  });
  const coded = fc.record({
    'content-encoding': fc.constantFrom('gzip', 'br', 'identity', 'identity, gzip', ''),
  });
  const bad = operation.body ? [wrongType, coded] : [coded];
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant({}) },
    { weight: 5, arbitrary: any },
    ...bad.map((arbitrary) => ({ weight: 1, arbitrary })),
  ) as fc.Arbitrary<Record<string, string>>;
}

function body({ body: documented }: Operation): fc.Arbitrary<Attempt['body']> {
  const rubbish = garbled.map((text) => ({ text }));
  // the 413 of a GET with 64 KiB of body would only distract in the document: see test/http/http.e2e-spec.ts
  const small = rubbish.filter(({ text }) => text.length <= BODY_LIMIT);
  if (!documented) return fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, small);
  const right = valueOf('', documented.schema) as fc.Arbitrary<Record<string, unknown>>;
  const wrong = fc
    .tuple(
      right,
      fc.array(mutation(Object.keys(documented.schema.properties ?? {})), { minLength: 1, maxLength: 2 }),
    )
    .map(([value, changes]) =>
      Object.fromEntries(changes.reduce((all, change) => change(all), Object.entries(value))),
    );
  return fc.oneof(
    { weight: 6, arbitrary: right.map((value) => ({ value })) },
    { weight: 4, arbitrary: wrong.map((value) => ({ value })) },
    { weight: 1, arbitrary: rubbish },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

type Members = [string, unknown][];

/** Takes a member away, gives one another value, or adds one that nobody asked for. */
function mutation(names: readonly string[]): fc.Arbitrary<(members: Members) => Members> {
  const anything = fc.oneof(
    hostileText,
    fc.constantFrom(null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, 315_360_001, [], {}, [null], { $gt: '' }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const name = fc.constantFrom('client_id', 'id', 'toString', 'keks:admin', 'é', ...names);
  return fc.oneof(
    name.map((gone) => (members: Members) => members.filter(([one]) => one !== gone)),
    fc
      .tuple(name, anything)
      .map(([changed, value]) => (members: Members) => [
        ...members.filter(([one]) => one !== changed),
        [changed, value] as [string, unknown],
      ]),
  );
}

function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
