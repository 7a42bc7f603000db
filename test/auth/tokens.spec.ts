import * as fc from 'fast-check';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MicroBatch } from '../../src/database/hot/micro-batch.js';
import {
  digestOf,
  mintToken,
  NO_EXPIRY,
  parseToken,
  PREFIXES,
  type Prefix,
} from '../../src/auth/tokens/token-format.js';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { Unavailable } from '../../src/http/errors/unavailable.js';
import {
  base62,
  crc32,
  forged,
  genuine,
  macOf,
  pack,
  spell,
  unpack,
  withChecksum,
} from '../support/token-smith.js';
import { anyText } from '../support/any-text.js';

const keysOf = (secret: Buffer, previous?: Buffer): TokenKeys =>
  new TokenKeys({ SECRET_KEY: secret, SECRET_KEY_PREVIOUS: previous && [previous] });

/** Two secrets whose one-byte key ids differ, so that each test means what it says. */
const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const keys = keysOf(NEW);
const prefixes = Object.keys(PREFIXES) as Prefix[];
const EXPIRY = 1_800_000_000;

const anyToken = fc
  .record({
    prefix: fc.constantFrom(...prefixes),
    expiresAt: fc.integer({ min: 0, max: NO_EXPIRY }),
    random: fc.uint8Array({ minLength: 22, maxLength: 22 }).map((bytes) => Buffer.from(bytes)),
  })
  .map(({ prefix, expiresAt, random }) => ({ prefix, expiresAt, random, key: keys.current }));

const isGenuine = (token: string, by = keys): boolean => parseToken(token, by).genuine;

describe('the second smith', () => {
  it('knows CRC-32 and base62 (check values of the IEEE polynomial)', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32('')).toBe(0);
    expect([base62(0), base62(61), base62(62), base62(0xffffffff)]).toEqual([
      '000000',
      '00000z',
      '000010',
      '4gfFC3',
    ]);
  });
});

describe('mintToken', () => {
  it.each([
    ['kat_', 'access'],
    ['krt_', 'refresh'],
    ['kak_', 'api_key'],
    ['kcs_', 'client_secret'],
  ] as const)('spells %s tokens as the contract says', (prefix, kind) => {
    const token = mintToken(prefix, EXPIRY, keys.current);
    expect(token).toMatch(/^k(at|rt|ak|cs)_[A-Za-z0-9_-]{48}[0-9A-Za-z]{6}$/);
    expect(token.slice(0, 4)).toBe(prefix);
    expect(token).toBe(withChecksum(token.slice(0, 52)));
    const payload = unpack(token);
    expect(payload).toMatchObject({ keyId: keys.current.id, expiresAt: EXPIRY, cell: 0 });
    expect(payload.mac).toEqual(macOf(prefix, payload, keys.current.mac));
    expect(parseToken(token, keys)).toEqual({
      genuine: true,
      kind,
      expiresAt: EXPIRY,
      digest: createHash('sha256').update(token, 'ascii').digest(),
    });
  });

  it('makes what an independent smith makes, from the same random bytes (property)', () => {
    fc.assert(
      fc.property(anyToken, ({ prefix, expiresAt, random, key }) => {
        const token = mintToken(prefix, expiresAt, key, random);
        expect(token).toBe(genuine(prefix, expiresAt, key, random));
        expect(unpack(token).random).toEqual(random);
        expect(parseToken(token, keys)).toMatchObject({ genuine: true, kind: PREFIXES[prefix], expiresAt });
      }),
    );
  });

  it('is bearer text that no header needs to escape: b64token (RFC 6750 §2.1)', () => {
    expect(mintToken('kat_', EXPIRY, keys.current)).toMatch(/^[A-Za-z0-9\-._~+/]+=*$/);
  });

  it('puts 176 random bits in: each of them is 0 and 1 over time, and none repeats', () => {
    const count = 2_000;
    const ones = Array.from({ length: 176 }, () => 0);
    const seen = new Set<string>();
    for (let n = 0; n < count; n += 1) {
      const { random } = unpack(mintToken('kat_', EXPIRY, keys.current));
      seen.add(random.toString('hex'));
      for (let bit = 0; bit < 176; bit += 1)
        ones[bit] = (ones[bit] ?? 0) + ((random.readUInt8(bit >> 3) >> (bit & 7)) & 1);
    }
    expect(seen.size).toBe(count);
    // ten standard deviations: by chance once in 10^21 runs
    for (const one of ones) expect(Math.abs(one - count / 2)).toBeLessThan(224);
  });

  it('has a key id and keys that come from SECRET_KEY alone: the same after a restart', () => {
    const token = mintToken('kat_', EXPIRY, keysOf(NEW).current);
    expect(isGenuine(token, keysOf(Buffer.from(NEW)))).toBe(true);
  });
});

describe('parseToken', () => {
  const token = mintToken('kat_', EXPIRY, keys.current, Buffer.alloc(22, 7));

  describe('one spelling', () => {
    it('refuses the token with any one character changed to any other', () => {
      const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n'];
      for (let at = 0; at < token.length; at += 1)
        for (const character of alphabet) {
          if (character === token[at]) continue;
          const other = token.slice(0, at) + character + token.slice(at + 1);
          expect(isGenuine(other), other).toBe(false);
        }
    });

    it('refuses it with one payload character changed and the checksum made right again', () => {
      const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
      for (let at = 4; at < 52; at += 1)
        for (const character of alphabet) {
          if (character === token[at]) continue;
          const other = withChecksum(token.slice(0, at) + character + token.slice(at + 1, 52));
          expect(isGenuine(other), other).toBe(false);
        }
    });

    it('refuses every character removed, doubled or swapped with the next', () => {
      for (let at = 0; at < token.length; at += 1) {
        const [before, character, after] = [token.slice(0, at), token[at] ?? '', token.slice(at + 1)];
        for (const other of [before + after, before + character + character + after])
          expect(isGenuine(other), other).toBe(false);
        const swapped = before + after.slice(0, 1) + character + after.slice(1);
        if (swapped !== token) expect(isGenuine(swapped), swapped).toBe(false);
      }
    });

    it.each([
      ['padding', `${token}=`],
      ['padding in the middle', `${token.slice(0, 52)}=${token.slice(52)}`],
      ['a space first', ` ${token}`],
      ['a space last', `${token} `],
      ['a line feed last', `${token}\n`],
      ['a carriage return last', `${token}\r`],
      ['NUL last', `${token}\0`],
      ['a line feed and more', `${token}\nx`],
      ['its scheme', `Bearer ${token}`],
      ['upper case', token.toUpperCase()],
      ['lower case', token.toLowerCase()],
      ['a prefix in upper case', token.replace('kat_', 'KAT_')],
      ['no prefix', token.slice(4)],
      ['the alphabet of plain base64', token.replaceAll('-', '+').replaceAll('_', '/')],
      ['a look-alike of Cyrillic', token.replace('a', 'а')],
      ['full width', token.replace('k', 'ｋ')],
      ['an unknown prefix', withChecksum(`kxt_${token.slice(4, 52)}`)],
      ['twice itself', token + token],
      ['nothing', ''],
      ['1 MiB of it', token.repeat(18_000)],
    ])('refuses %s', (_, other) => expect(isGenuine(other)).toBe(false));

    it('refuses whatever else there is, without throwing (property)', () => {
      fc.assert(
        fc.property(fc.oneof(fc.string(), anyText({ maxLength: 80 })), (text) => {
          expect(isGenuine(text)).toBe(false);
        }),
      );
    });

    it('needs all 36 bytes, so that no bits are spare: two texts never decode to one token (property)', () => {
      fc.assert(
        fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{48}$/), (payload) => {
          expect(Buffer.from(payload, 'base64url').toString('base64url')).toBe(payload);
        }),
      );
    });
  });

  describe('says what is wrong, for the operator', () => {
    it.each([
      ['spelling', 'x'],
      ['checksum', withChecksum(token.slice(0, 52)).slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')],
      ['key', spell('kat_', { ...unpack(token), keyId: keys.current.id ^ 1 })],
      ['mac', forged(token, { mac: randomBytes(8) })],
    ])('%s', (flaw, other) => expect(parseToken(other, keys)).toEqual({ genuine: false, flaw }));
  });

  describe('the cell', () => {
    it.each(prefixes)('of a %s token may be anything: until now it was one of the random bytes', (prefix) => {
      for (let cell = 0; cell < 256; cell += 1)
        expect(isGenuine(genuine(prefix, EXPIRY, keys.current, randomBytes(22), cell))).toBe(true);
    });
  });

  describe('the MAC', () => {
    it('covers the prefix: a token of one kind is no token of another', () => {
      for (const from of prefixes)
        for (const to of prefixes) {
          const other = forged(mintToken(from, EXPIRY, keys.current), {}, to);
          expect(parseToken(other, keys)).toMatchObject(
            from === to ? { genuine: true } : { genuine: false, flaw: 'mac' },
          );
        }
    });

    it('covers every bit of key id, expiry, cell and random bytes', () => {
      const bytes = pack(unpack(token));
      for (let bit = 0; bit < 288; bit += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(isGenuine(withChecksum(`kat_${changed.toString('base64url')}`)), `bit ${bit}`).toBe(false);
      }
    });

    it('covers the expiry: it cannot be put off (property)', () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: NO_EXPIRY }), (expiresAt) => {
          fc.pre(expiresAt !== EXPIRY);
          expect(parseToken(forged(token, { expiresAt }), keys)).toEqual({ genuine: false, flaw: 'mac' });
        }),
      );
    });

    it('is not made by another key, even one with the same id', () => {
      const [other] = keysOf(OLD).all;
      expect(other).toBeDefined();
      if (!other) return;
      expect(isGenuine(genuine('kat_', EXPIRY, { id: keys.current.id, mac: other.mac }))).toBe(false);
    });
  });

  describe('while keys rotate', () => {
    const before = mintToken('kat_', EXPIRY, keysOf(OLD).current);
    const after = mintToken('kat_', EXPIRY, keysOf(NEW, OLD).current);

    it('the previous key is believed, and only the current one signs', () => {
      expect(isGenuine(before, keysOf(NEW, OLD))).toBe(true);
      expect(isGenuine(after, keysOf(NEW, OLD))).toBe(true);
      expect(isGenuine(after, keysOf(NEW))).toBe(true);
      expect(isGenuine(after, keysOf(OLD))).toBe(false);
    });

    it('a key that is neither is not', () => expect(isGenuine(before, keysOf(NEW))).toBe(false));

    it('two keys of the same id are both tried', () => {
      const twin = Array.from({ length: 5_000 }, (_, n) => createHash('sha256').update(`twin ${n}`).digest());
      const found = twin.find((secret) => keysOf(secret).current.id === keysOf(OLD).current.id);
      expect(found).toBeDefined();
      if (!found) return;
      expect(isGenuine(before, keysOf(found, OLD))).toBe(true);
      expect(isGenuine(mintToken('kat_', EXPIRY, keysOf(found).current), keysOf(found, OLD))).toBe(true);
    });
  });

  it('digestOf is SHA-256 of the ASCII text', () => {
    expect(digestOf('abc').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A database of which the test decides what answers and when. */
function lines(limits: { size?: number; eager?: number; flights?: number; queue?: number } = {}) {
  const flights: { questions: readonly number[]; land: () => void; crash: (error: Error) => void }[] = [];
  const batch = new MicroBatch<number, string>(
    (questions) =>
      new Promise((resolve, reject) =>
        flights.push({
          questions,
          land: () => resolve(questions.map((one) => `answer to ${one}`)),
          crash: reject,
        }),
      ),
    { name: 'test', size: 3, flights: 2, queue: 100, ...limits },
  );
  return { batch, flights, sent: () => flights.map(({ questions }) => questions) };
}

describe('MicroBatch', () => {
  it('sends together what was asked together, in order, and gives each its own answer', async () => {
    const { batch, flights, sent } = lines({ size: 10 });
    const answers = [1, 2, 3].map((question) => batch.ask(question));
    expect(sent()).toEqual([]);
    await turn();
    expect(sent()).toEqual([[1, 2, 3]]);
    flights[0]?.land();
    expect(await Promise.all(answers)).toEqual(['answer to 1', 'answer to 2', 'answer to 3']);
  });

  it('a question never joins a batch in flight: its answer could be older than a revoke', async () => {
    const { batch, flights, sent } = lines({ size: 10, flights: 1 });
    const early = batch.ask(1);
    await turn();
    expect(sent()).toEqual([[1]]);
    let lateAnswer: string | undefined;
    const late = batch.ask(1).then((answer) => (lateAnswer = answer));
    await turn();
    expect(sent()).toEqual([[1]]);
    flights[0]?.land();
    await early;
    await turn();
    expect(lateAnswer).toBeUndefined();
    expect(sent()).toEqual([[1], [1]]);
    flights[1]?.land();
    expect(await late).toBe('answer to 1');
  });

  it('a question asked in the turn in which a batch lands is sent anew', async () => {
    const { batch, flights, sent } = lines({ flights: 1 });
    const first = batch.ask(1);
    await turn();
    flights[0]?.land();
    const second = batch.ask(2);
    expect(await first).toBe('answer to 1');
    await turn();
    expect(sent()).toEqual([[1], [2]]);
    flights[1]?.land();
    expect(await second).toBe('answer to 2');
  });

  it('flies at most so many statements of at most so many questions; the rest waits in order', async () => {
    const { batch, flights, sent } = lines({ size: 3, flights: 2 });
    const answers = Promise.all(Array.from({ length: 10 }, (_, n) => batch.ask(n)));
    await turn();
    expect(sent()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(batch.depth).toBe(4);
    flights[1]?.land();
    await turn();
    expect(sent()).toHaveLength(3);
    expect(sent()[2]).toEqual([6, 7, 8]);
    flights[0]?.land();
    await turn();
    expect(sent()[3]).toEqual([9]);
    for (const flight of flights) flight.land();
    expect(await answers).toEqual(Array.from({ length: 10 }, (_, n) => `answer to ${n}`));
    expect(batch.depth).toBe(0);
  });

  it('sends a few at once, without waiting for the turn to end, and what comes after them with the turn', async () => {
    const { batch, flights, sent } = lines({ size: 10, eager: 2, flights: 2 });
    const answers = Promise.all([1, 2, 3].map((question) => batch.ask(question)));
    expect(sent()).toEqual([[1, 2]]);
    await turn();
    expect(sent()).toEqual([[1, 2], [3]]);
    for (const flight of flights) flight.land();
    expect(await answers).toEqual(['answer to 1', 'answer to 2', 'answer to 3']);
  });

  it('while all flights are busy gathers as many as a statement holds, however eager', async () => {
    const { batch, flights, sent } = lines({ size: 5, eager: 2, flights: 1 });
    const answers = Promise.all(Array.from({ length: 9 }, (_, n) => batch.ask(n)));
    await turn();
    expect(sent()).toEqual([[0, 1]]);
    flights[0]?.land();
    await turn();
    expect(sent()).toEqual([
      [0, 1],
      [2, 3, 4, 5, 6],
    ]);
    flights[1]?.land();
    await turn();
    flights[2]?.land();
    expect(await answers).toHaveLength(9);
  });

  it('refuses at once, as unavailable, what comes on top of a full queue, and serves the others', async () => {
    const { batch, flights } = lines({ size: 2, flights: 1, queue: 3 });
    const inFlight = [batch.ask(1), batch.ask(2)];
    await turn();
    const waiting = [3, 4, 5].map((question) => batch.ask(question));
    await expect(batch.ask(6)).rejects.toBeInstanceOf(Unavailable);
    expect(flights).toHaveLength(1);
    for (let at = 0; at < 3; at += 1) {
      flights[at]?.land();
      await turn();
    }
    expect(await Promise.all([...inFlight, ...waiting])).toHaveLength(5);
  });

  it('a fault reaches all of its batch and all who wait behind it, and no other flight', async () => {
    const { batch, flights } = lines({ size: 2, flights: 2 });
    const settled = Promise.allSettled([1, 2, 3, 4, 5].map((question) => batch.ask(question)));
    await turn();
    flights[0]?.crash(new Error('gone'));
    await turn();
    flights[1]?.land();
    const outcomes = (await settled).map((one) => (one.status === 'fulfilled' ? one.value : 'fault'));
    expect(outcomes).toEqual(['fault', 'fault', 'answer to 3', 'answer to 4', 'fault']);
  });

  it('goes on after a fault', async () => {
    const { batch, flights } = lines();
    const lost = batch.ask(1);
    await turn();
    flights[0]?.crash(new Error('gone'));
    await expect(lost).rejects.toThrow('gone');
    const next = batch.ask(2);
    await turn();
    flights[1]?.land();
    expect(await next).toBe('answer to 2');
  });

  it('a send that throws before it flies is a fault, too', async () => {
    const batch = new MicroBatch<number, string>(
      () => {
        throw new Error('at once');
      },
      { name: 'test', size: 3, flights: 1, queue: 10 },
    );
    await expect(batch.ask(1)).rejects.toThrow('at once');
    await expect(batch.ask(2)).rejects.toThrow('at once');
  });
});
