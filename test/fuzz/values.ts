import fc from 'fast-check';
import { anyText } from '../support/any-text.js';
import type { Schema } from './document.js';

/** Stands for something that the server has made: the n-th of its kind that is known when the request is sent. */
export class Placeholder {
  constructor(
    readonly kind: string,
    readonly nth: number,
  ) {}
}

const SCOPES = [
  'cookies:eat',
  'cookies:bake',
  'keks:account',
  'keks:admin',
  'keks:metrics',
  'offline_access',
];

const scope = fc.uniqueArray(fc.constantFrom(...SCOPES), { maxLength: 3 }).map((names) => names.join(' '));

/** Names whose value has to fit to what there is, so that more than refusals comes back. */
const KNOWN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  user: made('user'),
  username: made('user'),
  password: fc.oneof({ weight: 3, arbitrary: made('password') }, made('new password')),
  old_password: made('password'),
  new_password: made('new password'),
  name: fc.oneof(made('new name'), made('user')),
  label: fc.string({ minLength: 1, maxLength: 100 }),
  id: made('id'),
  user_id: made('id'),
  secret_id: made('id'),
  grant_id: made('id'),
  token_id: made('id'),
  client_id: fc.oneof(made('client_id'), made('registered client')),
  redirect_uris: fc.constant(['http://127.0.0.1/done']),
  grant_types: fc.constant(['authorization_code']),
  response_types: fc.constant(['code']),
  client_name: fc.constant('Calendar'),
  client_secret: made('client_secret'),
  token: made('token'),
  refresh_token: made('refresh_token'),
  cursor: made('next'),
  guard: fc.constant('a-guard-of-the-fuzzer'),
  description: fc.constant('eat your cookies'),
  scope,
  grant_type: fc.constantFrom(
    'client_credentials',
    'client_credentials',
    'refresh_token',
    'refresh_token',
    'password',
  ),
  resource: fc.constantFrom(
    'http://127.0.0.1:3000',
    'https://oven.example',
    'oven',
    'https://other.example#x',
  ),
  audience: fc.uniqueArray(fc.constantFrom('https://oven.example', 'https://other.example', 'oven'), {
    maxLength: 2,
  }),
};

function made(kind: string): fc.Arbitrary<Placeholder> {
  return fc.nat({ max: 30 }).map((nth) => new Placeholder(kind, nth));
}

/** What a schema allows, and where it can be known, what the server would take. */
export function valueOf(name: string, schema: Schema): fc.Arbitrary<unknown> {
  const known = KNOWN[name];
  if (known) return fc.oneof({ weight: 9, arbitrary: known }, ofType(schema));
  return ofType(schema);
}

function ofType(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(valueOf('', schema.items ?? {}), { maxLength: 3 });
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? 0, -(2 ** 31)),
        max: Math.min(schema.maximum ?? 0, 2 ** 31 - 1),
      });
    case 'boolean':
      return fc.boolean();
    default:
      if (schema.format === 'uuid') return fc.uuid();
      return anyText({
        minLength: schema.minLength ?? 0,
        maxLength: Math.min(schema.maxLength ?? 200, 200),
      });
  }
}

function objectOf({
  properties = {},
  required = [],
  example,
}: Schema): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, valueOf(name, one)]),
  );
  const least = Object.fromEntries(required.map((name) => [name, members[name] ?? fc.constant(null)]));
  // the optional parameters of OAuth's forms exclude one another
  const any = [fc.record(least), fc.record(members, { requiredKeys: [...required] })];
  // where only some of what is optional goes together, the document has an example of it
  return fc.oneof(...any, ...(example ? [fc.constant(example as Record<string, unknown>)] : []));
}

/** Texts that have hurt somebody. Unpaired surrogates cannot be written as UTF-8, but can as `\ud800` in JSON. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    '\u202e',
    '\ufeff',
    '__proto__',
    'constructor',
    "'; DROP TABLE users; --",
    '%00',
    '../../etc/passwd',
    '{{7*7}}',
    'NaN',
    '-0',
    '1e999',
    '9223372036854775808',
    '\r\nX-Injected: 1',
    'é'.normalize('NFD'),
    'x'.repeat(10_000),
    'kat_',
    `kat_${'A'.repeat(48)}000000`,
    'eyJhbGciOiJub25lIn0.e30.',
    'infinity',
    '2026-01-01',
    '00000000-0000-0000-0000-000000000000',
  ),
  anyText({ maxLength: 60 }),
  fc.string({ maxLength: 60 }),
);

/** Bodies that are not what they should be, as bytes. */
export const garbled: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom(
      '',
      'null',
      '[]',
      '"text"',
      '{',
      '{"a":1,"a":2}',
      '{"__proto__":{"scope":"keks:admin"}}',
      '{"user":"\\ud800","password":"x"}',
      '\ufeff{}',
      '{"token":1e400}',
      '[[[[',
      '{"a":'.repeat(40) + '1' + '}'.repeat(40),
      '['.repeat(30_000),
      'token=a&token=b',
      'token=%zz',
      'token=%00',
      'grant_type=client_credentials&grant_type=password',
      'grant_type[]=client_credentials',
      '&'.repeat(2_000),
      ' '.repeat(65_537),
      'x'.repeat(70_000),
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
