import { isSamePlace, MisaddressedTokens } from 'keks-guard/internals';
import { describe, expect, it } from 'vitest';

const HOUR_MS = 3_600_000;

describe('MisaddressedTokens', () => {
  const started = () => {
    const lines: string[] = [];
    const time = { now: 0 };
    return {
      lines,
      time,
      tokens: new MisaddressedTokens(
        (line) => lines.push(line),
        () => time.now,
      ),
    };
  };

  it('says each pair once an hour', () => {
    const { lines, time, tokens } = started();
    for (time.now = 0; time.now < HOUR_MS; time.now += HOUR_MS / 4) tokens.note(['urn:a'], ['urn:b']);
    expect(lines).toEqual([
      'a good token for "urn:a" came to "urn:b" and was refused: the caller needs a token for this API, or this API has the wrong audience',
    ]);
    tokens.note(['urn:b'], ['urn:a']);
    tokens.note(['urn:a'], ['urn:b']);
    expect(lines).toHaveLength(3);
  });

  it('100 pairs an hour at most, whoever makes them up', () => {
    const { lines, time, tokens } = started();
    for (let round = 0; round < 1_000; round += 1) tokens.note([`urn:${round}`], ['urn:b']);
    expect(lines).toHaveLength(100);
    time.now = HOUR_MS;
    tokens.note(['urn:999'], ['urn:b']);
    expect(lines).toHaveLength(101);
  });

  it('a line is one line, and of bounded length', () => {
    const { lines, tokens } = started();
    tokens.note(['a\nb\u001B[31m'], ['x'.repeat(10_000)]);
    expect(lines[0]).not.toMatch(/\p{Cc}/u);
    expect(lines[0]?.length).toBeLessThan(600);
  });

  it.each([
    ['http://localhost:3000', 'http://127.0.0.1:3000', true],
    ['http://[::1]:3000', 'http://localhost:3000/', true],
    ['https://api.example', 'http://api.example/', true],
    ['https://API.example', 'https://api.example', true],
    ['http://localhost:3000', 'http://localhost:4000', false],
    ['https://api.example/a', 'https://api.example/b', false],
    ['urn:a', 'urn:b', false],
    ['', 'https://api.example', false],
  ])('%j and %j: one place? %j', (one, other, same) => {
    expect(isSamePlace(one, other)).toBe(same);
  });
});
