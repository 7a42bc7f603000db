import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Cursors } from '../../src/auth/lists/cursors.js';
import { WireError } from '../../src/http/errors/wire-error.js';
import { anyText } from '../support/any-text.js';

const SECRET_KEY = randomBytes(32);
const cursors = new Cursors({ SECRET_KEY, SECRET_KEY_PREVIOUS: undefined });
const LIST = ['keys', 'somebody'];
const POSITION = ['2026-01-31 12:00:00.123456+00', '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11'];

function refused(read: () => unknown): void {
  expect(read).toThrow(WireError);
}

describe('a cursor', () => {
  it('comes back as the position that it was made from', () => {
    fc.assert(
      fc.property(fc.array(anyText()), (position) => {
        expect(cursors.read(LIST, cursors.write(LIST, position))).toEqual(position);
      }),
    );
  });

  it('can stand in a query as it is', () => {
    expect(cursors.write(LIST, POSITION)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('is refused with any of its characters changed, cut or added', () => {
    const cursor = cursors.write(LIST, POSITION);
    for (let at = 0; at < cursor.length; at += 1) {
      for (const other of ['A', 'B', '_', '.', '=', ' ', 'ä'])
        if (other !== cursor[at])
          refused(() => cursors.read(LIST, cursor.slice(0, at) + other + cursor.slice(at + 1)));
      refused(() => cursors.read(LIST, cursor.slice(0, at)));
    }
    for (const more of ['A', '=', '==', '\n', ' ']) refused(() => cursors.read(LIST, cursor + more));
    refused(() => cursors.read(LIST, `${cursor}${'A'.repeat(100_000)}`));
  });

  it('is refused by every other list', () => {
    const cursor = cursors.write(LIST, POSITION);
    for (const other of [['keys', 'else'], ['keyssomebody'], ['keys'], ['keys', 'somebody', ''], []])
      refused(() => cursors.read(other, cursor));
  });

  it('is refused when it was made under another secret, and outlives a rotation of ours', () => {
    const cursor = cursors.write(LIST, POSITION);
    const next = { SECRET_KEY: randomBytes(32), SECRET_KEY_PREVIOUS: [SECRET_KEY] };
    expect(new Cursors(next).read(LIST, cursor)).toEqual(POSITION);
    refused(() => new Cursors({ ...next, SECRET_KEY_PREVIOUS: undefined }).read(LIST, cursor));
  });

  it('is never what somebody made up (property)', () => {
    fc.assert(fc.property(fc.base64String(), (text) => refused(() => cursors.read(LIST, text))));
  });
});
