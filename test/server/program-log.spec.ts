import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/server/program-log.js';

/** Local, as people read it. */
const time = new Date(2026, 10, 29, 15, 4, 5).getTime();

describe('LOG_FORMAT=text', () => {
  it('has a line for each record: time of the day, level, what happened, and the rest by name', () => {
    expect(textOf({ level: 40, time, msg: 'refused', status: 401, network: '10.0.0.0/24' })).toBe(
      '15:04:05 warn  refused status=401 network="10.0.0.0/24"',
    );
    expect(textOf({ level: 30, time, msg: 'stopped' })).toBe('15:04:05 info  stopped');
  });

  it('has a stack below its line', () => {
    const error = { type: 'Error', message: 'gone', stack: ['at one (a.js:1)', 'at two (b.js:2)'] };
    expect(textOf({ level: 50, time, msg: 'unexpected', error }).split('\n')).toEqual([
      '15:04:05 error unexpected error={"type":"Error","message":"gone"}',
      '    at one (a.js:1)',
      '    at two (b.js:2)',
    ]);
  });

  it.each(['\u001b[2J', '\u009b2J', '\n15:04:05 info  all is well', '\u202egnp', '\u2028', '\u{e0041}'])(
    'shows what a terminal would obey: %j',
    (order) => {
      const error = { message: order, stack: [order] };
      const text = textOf({ level: 30, time, msg: order, [`a${order}`]: order, error });
      expect(text.split('\n')).toHaveLength(2);
      expect(text.replace('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    },
  );
});
