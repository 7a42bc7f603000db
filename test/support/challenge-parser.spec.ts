import { describe, expect, it } from 'vitest';
import { bearerChallenge, parseChallenges } from './challenge-parser.js';

const read = (field: string) =>
  parseChallenges(field).map(({ scheme, token68, params }) => [
    scheme,
    token68 ?? Object.fromEntries(params),
  ]);

describe('the strict parser of challenges (RFC 9110 §11.6.1)', () => {
  it('reads the examples of the standards', () => {
    expect(read('Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""')).toEqual([
      ['Basic', { realm: 'simple' }],
      ['Newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
    ]);
    expect(
      read('Bearer realm="example", error="invalid_token", error_description="The access token expired"'),
    ).toEqual([
      ['Bearer', { realm: 'example', error: 'invalid_token', error_description: 'The access token expired' }],
    ]);
  });

  it('reads a scheme alone, token68, and parameters in quotes with commas and equals signs in them', () => {
    expect(read('Negotiate')).toEqual([['Negotiate', {}]]);
    expect(read('Negotiate YIIB+/a==, Basic realm=""')).toEqual([
      ['Negotiate', 'YIIB+/a=='],
      ['Basic', { realm: '' }],
    ]);
    expect(read('A, B x=y')).toEqual([
      ['A', {}],
      ['B', { x: 'y' }],
    ]);
    expect(read('Bearer realm="a, b=\\"c\\", Basic \\\\"')).toEqual([
      ['Bearer', { realm: 'a, b="c", Basic \\' }],
    ]);
    expect(read('Bearer REALM="a"')).toEqual([['Bearer', { realm: 'a' }]]);
  });

  it.each([
    ['nothing', ''],
    ['an empty element', 'Bearer realm="a",, Basic realm="b"'],
    ['an empty element at the end', 'Bearer realm="a", '],
    ['a comma without space', 'Bearer realm="a",error="b"'],
    ['space around "="', 'Bearer realm = "a"'],
    ['a comma after the scheme', 'Bearer, realm="a"'],
    ['a semicolon', 'Bearer realm="a"; error="b"'],
    ['no comma', 'Bearer realm="a" error="b"'],
    ['a parameter twice', 'Bearer realm="a", error="b", error="b"'],
    ['a parameter twice in another case', 'Bearer error="b", Error="b"'],
    ['a realm without quotes', 'Bearer realm=a'],
    ['single quotes around two words', "Bearer realm='a b'"],
    ['a quote that does not end', 'Bearer realm="a'],
    ['a quote inside quotes', 'Bearer realm="a"b"'],
    ['a control character', 'Bearer realm="a\x01"'],
    ['an empty value without quotes', 'Bearer error=, x=y'],
    ['a tab after the scheme', 'Bearer\trealm="a"'],
    ['a scheme that is no token', '"Bearer" realm="a"'],
  ])('refuses %s', (_, field) => expect(() => parseChallenges(field)).toThrow('wanted'));
});

describe('one Bearer challenge (RFC 6750 §3)', () => {
  it.each([
    ['none', null],
    ['another scheme', 'Basic realm="a"'],
    ['two', 'Bearer realm="a", Bearer realm="b"'],
    ['no parameter', 'Bearer'],
    ['a scope with two spaces', 'Bearer realm="a", scope="a  b"'],
    ['an empty scope', 'Bearer realm="a", scope=""'],
    ['a quote in error_description', 'Bearer realm="a", error_description="\\"a\\""'],
    ['a backslash in error', 'Bearer realm="a", error="\\\\"'],
  ])('refuses %s', (_, field) => expect(() => bearerChallenge(field)).toThrow());
});
