import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { userName } from '../../src/auth/users/user-name.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { expectListed } from '../support/error-shape.js';
import { exchange, type RawAnswer } from '../support/raw-http.js';
import { get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

const JSON_TYPE = 'Content-Type: application/json';
const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
const folded = (text: string): string | undefined => userName(text)?.folded;
const MARKER = 'MarkerOfMine';

let keks: TestApp;
/** Somebody else's, there to be harmed. */
let bystander: string;

const send = (path: string, body: string | Buffer | undefined, ...lines: string[]): Promise<RawAnswer> =>
  exchange(keks.url, {
    method: 'POST',
    path,
    headers: ['Host: test', ...lines],
    ...(body === undefined ? {} : { body }),
  });
const sendJson = (path: string, body: string | Buffer): Promise<RawAnswer> => send(path, body, JSON_TYPE);

function expectError(answer: RawAnswer, status: number, error: string): void {
  expectListed(answer.status, JSON.parse(answer.body), status, error);
  expect(answer.body).not.toContain(MARKER);
  expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
}

/** All that a request could have harmed: users, tokens, grants. */
async function state(): Promise<unknown> {
  const { rows } = await keks.database.client.query(
    `SELECT (SELECT json_agg(u ORDER BY u.id) FROM users u) AS users,
            (SELECT json_agg(t ORDER BY t.id) FROM access_tokens t) AS tokens,
            (SELECT json_agg(to_jsonb(g) - 'last_used_at' ORDER BY g.id) FROM grants g) AS grants`,
  );
  return rows[0];
}

async function logIn(user: string, password: string): Promise<number> {
  return (await post(keks.url, '/issue', { user, password })).status;
}

const asked = async (scope: string): Promise<unknown[]> => {
  const { status, body } = await post(keks.url, '/issue', {
    user: 'CookieDestroyer',
    password: PASSWORD,
    scope,
  });
  return [status, (body as { scope?: string; error?: string }).scope ?? (body as { error?: string }).error];
};

beforeAll(async () => {
  // many failures on purpose
  keks = await startTestApp({ LOGIN_FAILURES_PER_ACCOUNT: '1000', LOGIN_FAILURES_PER_ADDRESS: '100000' });
  await keks.addUser('CookieDestroyer');
  await keks.addUser('Bystander');
  bystander = await keks.login('Bystander');
});

afterAll(() => keks.close());

/** A field's value as JSON text, and what it is refused with wherever a non-empty string is wanted. */
const WRONG_VALUES: [string, string | Buffer][] = [
  ['null', 'null'],
  ['0', '0'],
  ['1', '1'],
  ['a number that is infinite', '1e999'],
  ['true', 'true'],
  ['false', 'false'],
  ['an empty array', '[]'],
  ['an array of one string', `["${MARKER}"]`],
  ['an empty object', '{}'],
  ['an operator of Mongo', '{"$ne":null}'],
  ['an operator of Sequelize', '{"$gt":""}'],
  ['an operator of TypeORM', '{"_type":"not","_value":null,"_useParameter":true}'],
  ['an object that says that it is a string', `{"length":5,"toString":"${MARKER}"}`],
  ['NUL, escaped', `"${MARKER}\\u0000"`],
  ['NUL, raw', Buffer.from(`"${MARKER}\0"`)],
  ['a lone high surrogate, escaped', `"${MARKER}\\ud800"`],
  ['a lone low surrogate, escaped', `"${MARKER}\\udc00"`],
  ['surrogates in the wrong order, escaped', `"${MARKER}\\udc00\\ud800"`],
  ['a lone surrogate, raw', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['a pair of surrogates in CESU-8, raw', Buffer.from([0x22, 0xed, 0xa0, 0xbc, 0xed, 0xbd, 0xaa, 0x22])],
  ['a byte of Latin-1', Buffer.from([0x22, 0xe9, 0x22])],
  ['an overlong NUL', Buffer.from([0x22, 0xc0, 0x80, 0x22])],
];

const FIELDS: [string, string, Record<string, string>][] = [
  ['/issue', 'user', { user: 'CookieDestroyer', password: PASSWORD }],
  ['/issue', 'password', { user: 'CookieDestroyer', password: PASSWORD }],
  ['/issue', 'scope', { user: 'CookieDestroyer', password: PASSWORD }],
  ['/validate', 'token', {}],
  ['/revoke', 'token', {}],
];

describe.each(FIELDS)('POST %s: %s', (path, field, others) => {
  const bodyWith = (value: string | Buffer): Buffer => {
    const rest = Object.entries(others).filter(([name]) => name !== field);
    const before = rest.map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)},`).join('');
    return Buffer.concat([Buffer.from(`{${before}"${field}":`), Buffer.from(value), Buffer.from('}')]);
  };
  let before: unknown;

  beforeEach(async () => {
    before = await state();
  });

  it.each(WRONG_VALUES)('400 for %s', async (_, value) => {
    expectError(await sendJson(path, bodyWith(value)), 400, 'invalid_request');
    expect(await state()).toEqual(before);
  });

  it('413 for a string of 1 MiB', async () => {
    expectError(await sendJson(path, bodyWith(`"${'x'.repeat(1_048_576)}"`)), 413, 'payload_too_large');
    expect(await state()).toEqual(before);
  });

  it('never 500 and never somebody else’s row, whatever it is (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        const { status } = await sendJson(path, bodyWith(JSON.stringify(value)));
        expect(path === '/revoke' ? [200, 400] : [400, 401]).toContain(status);
      }),
      { numRuns: 60 },
    );
    expect(await state()).toEqual(before);
    expect((await get(keks.url, '/cookies', bystander)).status).toBe(200);
  });

  it('400 when it is there twice, once right and once wrong, in either order', async () => {
    const right = JSON.stringify(others[field] ?? 'cookies:eat');
    for (const [first, second] of [
      [right, '"x"'],
      ['"x"', right],
      [right, right],
    ]) {
      const text = bodyWith(`${first},"${field}":${second}`);
      expectError(await sendJson(path, text), 400, 'invalid_request');
    }
    const escaped = `\\u00${field.charCodeAt(0).toString(16)}${field.slice(1)}`;
    expectError(await sendJson(path, bodyWith(`${right},"${escaped}":"x"`)), 400, 'invalid_request');
    expect(await state()).toEqual(before);
  });

  it('400 for __proto__, constructor and prototype, at the top and below', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
      const right = JSON.stringify(others[field] ?? 'cookies:eat');
      for (const text of [`${right},"${key}":{"${field}":"x"}`, `${right},"more":[{"${key}":1}]`])
        expectError(await sendJson(path, bodyWith(text)), 400, 'invalid_request');
    }
    expect(await state()).toEqual(before);
  });

  it('is not inherited: 400 where only a prototype would have it', async () => {
    expectError(await sendJson(path, `{"toString":"x","valueOf":"x"}`), 400, 'invalid_request');
  });
});

describe.each(FIELDS.filter(([, field]) => field !== 'scope'))(
  'POST %s without %s',
  (path, field, others) => {
    it('400 when it is absent or empty', async () => {
      const before = await state();
      const { [field]: _, ...rest } = others;
      expectError(await sendJson(path, JSON.stringify(rest)), 400, 'invalid_request');
      expectError(await sendJson(path, JSON.stringify({ ...rest, [field]: '' })), 400, 'invalid_request');
      expect(await state()).toEqual(before);
    });
  },
);

describe.each(['/issue', '/validate', '/revoke'])('POST %s', (path) => {
  const good = () =>
    JSON.stringify(
      path === '/issue' ? { user: 'CookieDestroyer', password: PASSWORD } : { token: bystander },
    );

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json5',
    'application/jsonx',
    'application/problem+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    'application/octet-stream',
    '',
  ])('415 for a body of the type "%s"', async (type) => {
    const before = await state();
    expectError(await send(path, good(), `Content-Type: ${type}`), 415, 'unsupported_media_type');
    expect(await state()).toEqual(before);
  });

  it('415 for a body without a type, and a compressed one', async () => {
    expectError(await send(path, good()), 415, 'unsupported_media_type');
    expectError(await send(path, good(), JSON_TYPE, 'Content-Encoding: gzip'), 415, 'unsupported_media_type');
  });

  it('400 without a body', async () => {
    expectError(await send(path, undefined), 400, 'invalid_request');
    expectError(await send(path, undefined, JSON_TYPE), 400, 'invalid_request');
    expectError(await send(path, '', JSON_TYPE), 400, 'invalid_request');
  });

  it.each([
    ['an array', () => `[${good()}]`],
    ['a string', () => JSON.stringify(good())],
    ['null', () => 'null'],
    ['a number', () => '1'],
    ['an empty object', () => '{}'],
    ['half an object', () => good().slice(0, -1)],
    ['two objects', () => good() + good()],
    ['something behind it', () => `${good()}x`],
    ['a byte order mark', () => `\ufeff${good()}`],
    ['single quotes', () => good().replaceAll('"', "'")],
    ['a comma too many', () => `${good().slice(0, -1)},}`],
    ['a comment', () => `/* */${good()}`],
    ['NaN', () => `${good().slice(0, -1)},"more":NaN}`],
    ['33 levels', () => `${good().slice(0, -1)},"more":${'['.repeat(32)}${']'.repeat(32)}}`],
    ['a depth bomb', () => `${good().slice(0, -1)},"more":${'['.repeat(30_000)}}`],
  ])('400 for %s', async (_, body) => {
    const before = await state();
    expectError(await sendJson(path, body()), 400, 'invalid_request');
    expect(await state()).toEqual(before);
  });

  it('reads nothing from the query', async () => {
    const before = await state();
    const query = `user=CookieDestroyer&password=${encodeURIComponent(PASSWORD)}&token=${bystander}`;
    expectError(await sendJson(`${path}?${query}`, '{}'), 400, 'invalid_request');
    expectError(await send(`${path}?${query}`, undefined), 400, 'invalid_request');
    expect(await state()).toEqual(before);
  });

  it('reads nothing from headers and cookies', async () => {
    const before = await state();
    const basic = Buffer.from(`CookieDestroyer:${PASSWORD}`).toString('base64');
    const lines = [JSON_TYPE, `Cookie: token=${bystander}; user=CookieDestroyer; password=x`];
    for (const authorization of [`Basic ${basic}`, `Bearer ${bystander}`])
      expectError(
        await send(path, '{}', ...lines, `Authorization: ${authorization}`),
        400,
        'invalid_request',
      );
    expect(await state()).toEqual(before);
  });

  it('never 500, whatever the bytes (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        const { status } = await sendJson(path, Buffer.concat([Buffer.from('{"token":"'), bytes]));
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 40 },
    );
  });
});

describe('POST /issue', () => {
  describe('members that are not its own', () => {
    it('are ignored: identity, lifetime and rights come from the login alone (CVE-2025-61928)', async () => {
      const { rows } = await keks.database.client.query<{ id: string; name: string }>(
        'SELECT id, name FROM users',
      );
      const idOf = (name: string) => rows.find((row) => row.name === name)?.id;
      const answer = await post(keks.url, '/issue', {
        user: 'CookieDestroyer',
        password: PASSWORD,
        user_id: idOf('Bystander'),
        userId: idOf('Bystander'),
        id: idOf('Bystander'),
        sub: idOf('Bystander'),
        username: 'Bystander',
        name: 'Bystander',
        email: 'a@b',
        expires_in: 999_999,
        exp: 9_999_999_999,
        ttl: 999_999,
        audience: 'https://other',
        aud: 'https://other',
        scopes: ['keks:admin'],
        granted_scope: 'keks:admin',
        role: 'admin',
        is_admin: true,
        disabled_at: null,
        grant_type: 'client_credentials',
        client_id: 'keks',
        passwordHash: 'x',
        token: bystander,
      });
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          token: expect.any(String),
          token_type: 'Bearer',
          expires_in: 3_600,
          scope: 'cookies:eat keks:account',
        },
      ]);
      const { rows: stored } = await keks.database.client.query(
        `SELECT g.user_id, g.client_id, g.kind, t.scope, t.audience, t.expires_at <= now() + interval '1 h' AS short
           FROM access_tokens t JOIN grants g ON g.id = t.grant_id WHERE t.digest = $1`,
        [digest((answer.body as { token: string }).token)],
      );
      expect(stored).toEqual([
        {
          user_id: idOf('CookieDestroyer'),
          client_id: null,
          kind: 'login',
          scope: 'cookies:eat keks:account',
          audience: keks.config.AUDIENCE,
          short: true,
        },
      ]);
    });
  });

  describe('scope', () => {
    it.each([
      ['cookies:eat', 'cookies:eat'],
      ['keks:account', 'keks:account'],
      ['cookies:eat keks:account', 'cookies:eat keks:account'],
      ['cookies:eat cookies:eat', 'cookies:eat'],
    ])('200 for the subset "%s"', async (scope, granted) =>
      expect(await asked(scope)).toEqual([200, granted]),
    );

    it.each([
      ['wider', 'cookies:eat keks:account cookies:bake'],
      ['only what is not granted', 'cookies:bake'],
      ['the right to administer', 'keks:admin'],
      ['a wildcard', '*'],
      ['a prefix of a scope', 'cookies'],
      ['another case', 'Cookies:Eat'],
      ['a regular expression', 'cookies:.*'],
      ['a pattern of LIKE', 'cookies:%'],
      ['a comma', 'cookies:eat,keks:account'],
      ['two spaces', 'cookies:eat  keks:account'],
      ['a space first', ' cookies:eat'],
      ['a space last', 'cookies:eat '],
      ['a tab', 'cookies:eat\tkeks:account'],
      ['a line feed', 'cookies:eat\nkeks:account'],
      ['a no-break space', 'cookies:eat\u00a0keks:account'],
      ['a quote', 'cookies:eat"'],
      ['a backslash', 'cookies:eat\\'],
      ['nothing', ''],
      ['a space', ' '],
      ['more than anybody has', Array.from({ length: 200 }, (_, n) => `s${n}`).join(' ')],
      ['one that is very long', 'x'.repeat(10_000)],
    ])('400 invalid_scope for %s, and nothing is issued', async (_, scope) => {
      const before = await state();
      expect(await asked(scope)).toEqual([400, 'invalid_scope']);
      expect(await state()).toEqual(before);
    });

    it('says nothing of scopes to who does not know the password', async () => {
      const body = { user: 'CookieDestroyer', password: 'x', scope: 'keks:admin' };
      expect((await post(keks.url, '/issue', body)).body).toMatchObject({ error: 'invalid_credentials' });
    });
  });

  describe('user names', () => {
    it.each([
      'CookieDestroyer',
      'cookiedestroyer',
      'COOKIEDESTROYER',
      'ＣｏｏｋｉｅＤｅｓｔｒｏｙｅｒ',
      'ⒸookieDestroyer',
    ])('%s is the same user: case folding and NFKC', async (name) =>
      expect(await logIn(name, PASSWORD)).toBe(200),
    );

    it.each([
      ['Jos\u00e9', ['Jose\u0301', 'JOS\u00c9', 'jose\u0301']],
      ['Straße', ['STRASSE', 'strasse', 'STRAẞE']],
      ['ΟΔΥΣΣΕΎΣ', ['οδυσσεύς', 'Οδυσσεύσ']],
      ['ﬁnn', ['finn', 'FINN']],
      ['김철수', ['김철수'.normalize('NFD')]],
      ['x²', ['x2', 'X2']],
    ])('%s is found by its equivalents and can be taken once only', async (name, equivalents) => {
      await keks.addUser(name);
      for (const other of equivalents) {
        expect(await logIn(other, PASSWORD), other).toBe(200);
        expect(await keks.app.get(UsersService).add(other, PASSWORD, [], OPERATOR)).toEqual({
          flaw: 'name_taken',
        });
      }
    });

    it('fold to one, whatever a case or a form of Unicode is written in (property)', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), (text) => {
          const once = folded(text);
          fc.pre(once !== undefined && text.trim() === text);
          const others = [
            text.toUpperCase(),
            text.toLowerCase(),
            text.normalize('NFD'),
            text.normalize('NFKC'),
          ];
          for (const other of [...others, once ?? '']) expect(folded(other)).toBe(once);
        }),
        { numRuns: 1_000, examples: [['ẞ'], ['ß'], ['ς'], ['ŉ'], ['İ'], ['ǆ'], ['ﬃ']] },
      );
    });

    it.each([
      ['a space last', 'CookieDestroyer '],
      ['a space first', ' CookieDestroyer'],
      ['a line feed', 'CookieDestroyer\n'],
      ['a zero-width space', 'Cookie\u200bDestroyer'],
      ['a soft hyphen', 'Cookie\u00adDestroyer'],
      ['a right-to-left mark', 'CookieDestroyer\u200f'],
      ['a look-alike of Cyrillic', 'CookieDestrоyer'],
      ['a percent sign', 'Cookie%'],
      ['an underscore', 'CookieDestroye_'],
      ['a star', '*'],
      ['an injection', `' OR '1'='1`],
      ['another injection', `CookieDestroyer'--`],
      ['129 characters', 'x'.repeat(129)],
      ['60,000 characters', 'x'.repeat(60_000)],
      ['the id of a user', '00000000-0000-0000-0000-000000000000'],
    ])('401 for %s: nobody’s name', async (_, name) => expect(await logIn(name, PASSWORD)).toBe(401));
  });

  describe('passwords', () => {
    const accented = 'caf\u00e9 with many little biscuits';

    it('are compared exactly as received: NFC and NFD differ, spaces and case count', async () => {
      await keks.addUser('Exact', '', ` ${accented} `);
      expect(await logIn('Exact', ` ${accented} `)).toBe(200);
      for (const near of [
        ` ${accented.normalize('NFD')} `,
        ` ${accented}`,
        `${accented} `,
        accented,
        ` ${accented}  `,
        ` ${accented.toUpperCase()} `,
        ` ${accented}\t`,
        ` ${accented}\n`,
        ` ${accented}\u00a0`,
      ])
        expect(await logIn('Exact', near), JSON.stringify(near)).toBe(401);
    });

    it('1,024 bytes are taken, to the last byte, and 1,025 are 400', async () => {
      const longest = 'é'.repeat(512);
      await keks.addUser('Long', '', longest);
      expect(Buffer.byteLength(longest)).toBe(1_024);
      expect(await logIn('Long', longest)).toBe(200);
      expect(await logIn('Long', `${longest.slice(0, -1)}è`)).toBe(401);
      expect(await logIn('Long', longest.slice(0, -1))).toBe(401);
      for (const over of [`${longest}x`, 'x'.repeat(1_025), '🍪'.repeat(257), 'x'.repeat(60_000)]) {
        const answer = await post(keks.url, '/issue', { user: 'Long', password: over });
        expect([answer.status, answer.body]).toMatchObject([400, { error: 'invalid_request' }]);
      }
    });

    it('of 72 bytes and more are compared whole, which bcrypt alone would not do', async () => {
      const common = 'x'.repeat(72);
      await keks.addUser('Cut', '', `${common}a`);
      expect(await logIn('Cut', `${common}a`)).toBe(200);
      for (const near of [common, `${common}b`, `${common}aa`]) expect(await logIn('Cut', near)).toBe(401);
    });
  });

  describe('401 invalid_credentials', () => {
    it('is one answer, byte by byte, for unknown, disabled, wrong and impossible', async () => {
      await keks.addUser('Disabled');
      await keks.app.get(UsersService).setDisabled('Disabled', true, OPERATOR);
      const tries = [
        { user: 'CookieDestroyer', password: 'wrong' },
        { user: 'CookieDestroyer', password: `${PASSWORD}x` },
        { user: 'Nobody', password: PASSWORD },
        { user: 'Disabled', password: PASSWORD },
        { user: 'Disabled', password: 'wrong' },
        { user: 'x'.repeat(200), password: PASSWORD },
        { user: 'a\tb', password: PASSWORD },
        { user: 'keks', password: PASSWORD, scope: 'keks:admin' },
      ];
      const answers = await Promise.all(tries.map((body) => sendJson('/issue', JSON.stringify(body))));
      for (const answer of answers) expectError(answer, 401, 'invalid_credentials');
      expect(new Set(answers.map(({ comparable }) => comparable)).size).toBe(1);
    });

    it('and good credentials work again once the user is enabled, while its old tokens stay dead', async () => {
      await keks.addUser('Pausing');
      const old = await keks.login('Pausing');
      await keks.app.get(UsersService).setDisabled('Pausing', true, OPERATOR);
      expect((await get(keks.url, '/cookies', old)).status).toBe(401);
      await keks.app.get(UsersService).setDisabled('Pausing', false, OPERATOR);
      expect(await logIn('Pausing', PASSWORD)).toBe(200);
      expect((await get(keks.url, '/cookies', old)).status).toBe(401);
    });
  });
});

describe('POST /validate', () => {
  it('200 {"active":true,"expires_in"} and nothing about whose token it is', async () => {
    const { status, body } = await post(keks.url, '/validate', { token: bystander });
    expect(status).toBe(200);
    expect(Object.keys(body as object).sort()).toEqual(['active', 'expires_in']);
  });

  it('ignores other members', async () => {
    const body = { token: bystander, access_token: 'x', user: 'x', active: false };
    expect((await post(keks.url, '/validate', body)).status).toBe(200);
    expect((await post(keks.url, '/validate', { ...body, token: 'x', access_token: bystander })).status).toBe(
      401,
    );
  });

  it.each([
    ['a space first', (token: string) => ` ${token}`],
    ['a space last', (token: string) => `${token} `],
    ['a line feed', (token: string) => `${token}\n`],
    ['its scheme', (token: string) => `Bearer ${token}`],
    ['quotes', (token: string) => `"${token}"`],
    ['another case', (token: string) => token.toLowerCase()],
    ['full width', (token: string) => token.replace('kat_', 'ｋａｔ_')],
    ['its digest', (token: string) => digest(token).toString('hex')],
    ['a pattern', () => 'kat_%'],
  ])('401 invalid_token for a token with %s: one spelling', async (_, spelled) => {
    expectError(
      await sendJson('/validate', JSON.stringify({ token: spelled(bystander) })),
      401,
      'invalid_token',
    );
  });
});

describe('POST /revoke', () => {
  it.each([
    ['garbage', () => 'x'],
    ['a pattern', () => '%'],
    ['a token with a space', (token: string) => `${token} `],
    ['the digest of a token', (token: string) => digest(token).toString('hex')],
    ['the longest body that is taken', () => 'x'.repeat(65_000)],
  ])('200 {} for %s, and nobody’s token is harmed', async (_, spelled) => {
    const before = await state();
    const answer = await sendJson('/revoke', JSON.stringify({ token: spelled(bystander) }));
    expect([answer.status, answer.body]).toEqual([200, '{}']);
    expect(await state()).toEqual(before);
  });

  it('revokes the one token that it names: not its neighbours of the same login, user or second', async () => {
    const [one, two] = [await keks.login('CookieDestroyer'), await keks.login('CookieDestroyer')];
    expect((await post(keks.url, '/revoke', { token: one, user: 'Bystander', all: true })).body).toEqual({});
    expect((await get(keks.url, '/cookies', one)).status).toBe(401);
    expect((await get(keks.url, '/cookies', two)).status).toBe(200);
    expect((await get(keks.url, '/cookies', bystander)).status).toBe(200);
  });

  it('is idempotent, and the audit log has it once', async () => {
    const token = await keks.login('CookieDestroyer');
    for (let time = 0; time < 3; time += 1)
      expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
    const { rows } = await keks.database.client.query(
      `SELECT count(*)::int AS events FROM audit_events e JOIN access_tokens t ON t.id = e.token_id
        WHERE e.type = 'token.revoked' AND t.digest = $1`,
      [digest(token)],
    );
    expect(rows).toEqual([{ events: 1 }]);
  });
});
