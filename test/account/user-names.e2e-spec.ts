import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userName } from '../../src/auth/users/user-name.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { PASSWORD, post, request, startTestApp, type TestApp } from '../support/test-app.js';

const ZWNJ = '\u200c';
const ZWJ = '\u200d';
const ALI_REZA = `علی${ZWNJ}رضا`;

/** RFC 5892, appendix A.1 and A.2. */
const ALLOWED: [string, string][] = [
  ['between letters that join', ALI_REZA],
  ['several times', `می${ZWNJ}خواهم${ZWNJ}ها`],
  ['between letters with marks', `عَ${ZWNJ}رّ`],
  ['behind a virama, both', `क्${ZWJ}ष क्${ZWNJ}ष`],
  ['behind a virama, last', `അവന്${ZWJ}`],
  ['in Sinhala', `ශ්${ZWJ}රී`],
  ['beside another script', `Ann ${ALI_REZA} 7`],
  ['right behind another script', `Ann${ALI_REZA}`],
];

const REFUSED: [string, string][] = [
  ['first', `${ZWNJ}علی`],
  ['last', `علی${ZWNJ}`],
  ['twice in a row', `علی${ZWNJ}${ZWNJ}رضا`],
  ['both in a row', `क्${ZWJ}${ZWNJ}ष`],
  ['behind a letter that does not join', `ر${ZWNJ}علی`],
  ['the joiner where only the non-joiner may be', `علی${ZWJ}رضا`],
  ['between Latin letters', `Ali${ZWNJ}Reza`],
  ['between Latin letters, the joiner', `Ali${ZWJ}Reza`],
  ['beside a space', `علی${ZWNJ} رضا`],
  ['beside a digit', `۵${ZWNJ}رضا`],
  ['in an emoji', `👩${ZWJ}💻`],
  ['in the right place and in a wrong one', `${ALI_REZA} A${ZWNJ}b`],
  ['alone', ZWNJ],
  ['beside a right-to-left mark', `علی\u200f${ZWNJ}رضا`],
  ['the word joiner', 'علی\u2060رضا'],
];

describe('a joiner in the name of a user', () => {
  let keks: TestApp;
  const add = (name: string) => keks.app.get(UsersService).add(name, PASSWORD, [], OPERATOR);

  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('root', 'keks:admin');
  });

  afterAll(() => keks.close());

  it.each(ALLOWED)('is taken %s, and stays as it was typed', (_, name) => {
    const plain = name.replaceAll(/[\u200c\u200d]/g, '').normalize('NFKC');
    expect(userName(name)).toEqual({ name: name.normalize('NFKC'), folded: userName(plain)?.folded });
  });

  it.each(REFUSED)('is refused %s', async (_, name) => {
    expect(userName(name)).toBeUndefined();
    expect(await add(name)).toEqual({ flaw: 'name_invalid' });
  });

  it('makes nobody somebody else: over HTTP a twin is taken, and each spelling logs in', async () => {
    const token = await keks.login('root');
    const create = (name: string) =>
      request(keks.url, '/admin/users', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name, password: PASSWORD }),
      });
    const made = await create(ALI_REZA);
    expect([made.status, (made.body as { name: string }).name]).toEqual([201, ALI_REZA]);
    const twins = ['علیرضا', `عل${ZWNJ}یرضا`, `علی${ZWNJ}رض${ZWNJ}ا`];
    for (const twin of twins) {
      expect((await create(twin)).status).toBe(409);
      expect(await add(twin)).toEqual({ flaw: 'name_taken' });
    }
    for (const name of [ALI_REZA, ...twins])
      expect((await post(keks.url, '/issue', { user: name, password: PASSWORD })).status).toBe(200);
    const { rows } = await keks.database.client.query(
      'SELECT name, name_folded FROM users WHERE name_folded = $1',
      ['علیرضا'],
    );
    expect(rows).toEqual([{ name: ALI_REZA, name_folded: 'علیرضا' }]);
  });

  it('makes no new name of one that was there before', async () => {
    await keks.addUser('شاهرخ');
    expect(await add(`شاه${ZWNJ}رخ`)).toEqual({ flaw: 'name_taken' });
  });

  it('does not hide the name in a password', async () => {
    expect(
      await keks.app.get(UsersService).add(`گل${ZWNJ}نازنین${ZWNJ}دختر`, 'گلنازنیندختر 12345', [], OPERATOR),
    ).toEqual({
      flaw: 'too_common',
    });
  });
});
