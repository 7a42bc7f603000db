import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

const LIMIT = 3;

describe('X-Forwarded-For from a trusted proxy', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp({
      LOGIN_FAILURES_PER_ACCOUNT: '1000',
      LOGIN_FAILURES_PER_ADDRESS: String(LIMIT),
      TRUST_PROXY: '127.0.0.1, 10.9.0.0/16, 2001:db8:ffff::/48',
    });
    await keks.addUser('Ann');
  });

  afterAll(() => keks.close());

  const attempt = (forwarded: string): Promise<Answer> =>
    post(keks.url, '/issue', { user: 'nobody', password: 'wrong' }, { 'x-forwarded-for': forwarded });

  /** Failures from each of them in turn, and whether they counted as one. */
  async function countedTogether(spellings: readonly string[]): Promise<boolean> {
    await keks.database.client.query('DELETE FROM attempt_counters');
    for (let at = 0; at < LIMIT; at += 1)
      expect((await attempt(spellings[at % spellings.length] ?? '')).status).toBe(401);
    const answers = await Promise.all(spellings.map(attempt));
    return answers.every(({ status }) => status === 429);
  }

  const many = (spell: (at: number) => string): string[] => Array.from({ length: 25 }, (_, at) => spell(at));

  it.each([
    ['a port behind it', many((at) => `192.0.2.7:${2_000 + at}`)],
    ['brackets and a port', many((at) => `[2001:db8::1]:${4_000 + at}`)],
    ['a zone', many((at) => `fe80::1%eth${at}`)],
    ['another address of the same /64', many((at) => `2001:db8::${at}`)],
    [
      'IPv4 inside of IPv6',
      [
        '192.0.2.8',
        '::ffff:192.0.2.8',
        '::FFFF:192.0.2.8',
        '0:0:0:0:0:ffff:192.0.2.8',
        '0000:0000:0000:0000:0000:ffff:c000:0208',
        '::ffff:c000:208',
        '[::ffff:c000:208]',
        '[::ffff:192.0.2.8]:443',
        '64:ff9b::192.0.2.8',
        '64:ff9b::c000:208',
        ' 192.0.2.8 ',
      ],
    ],
    ['more in front of it', many((at) => `203.0.113.${at}, 192.0.2.9`)],
    ['trusted proxies behind it', many((at) => `192.0.2.9, 10.9.0.${at}, [2001:db8:ffff::${at}]:80`)],
    ['text that is no address', many((at) => `anything-${at}`)],
    ['text in front of trusted proxies', many((at) => `unknown-${at}, 10.9.0.${at}`)],
    ['nothing between commas', ['', ',', ', ,', 'x,']],
    ['numbers that are no address', many((at) => `300.0.0.${at}`)],
    ['leading zeros', many((at) => `192.0.2.0${at % 10}`)],
    ['kilobytes', many((at) => `${at}${'9'.repeat(6_000)}`)],
  ])('%s makes nobody somebody else', async (_, spellings) => {
    expect(await countedTogether(spellings)).toBe(true);
  });

  it.each([
    [['192.0.2.20', '192.0.2.21', '192.0.2.22', '192.0.2.23']],
    [['2001:db8:1::1', '2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:3::1']],
  ])('%j are several', async (addresses) => {
    expect(await countedTogether(addresses)).toBe(false);
  });

  it.each([
    ['a port', '192.0.2.7:2000', '192.0.2.7'],
    ['brackets', '[2001:DB8:0::1]:4000', '2001:db8::1'],
    ['IPv6', '::ffff:c000:207', '192.0.2.7'],
    ['kilobytes', 'x'.repeat(6_000), '127.0.0.1'],
    ['text', "'; DROP TABLE users; --", '127.0.0.1'],
  ])('%s is not noted in sessions and audit', async (_, forwarded, noted) => {
    await keks.database.client.query('DELETE FROM attempt_counters; DELETE FROM audit_events');
    const headers = { 'x-forwarded-for': forwarded };
    const { body } = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD }, headers);
    await attempt(forwarded);
    const { rows } = await keks.database.client.query(
      `(SELECT ip FROM grants ORDER BY created_at DESC LIMIT 1) UNION ALL SELECT ip FROM audit_events`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(2);
    expect(body).toHaveProperty('token');
    expect([...new Set(rows.map(({ ip }) => ip))]).toEqual([noted]);
  });

  it('counts for clients as for logins', async () => {
    await keks.database.client.query('DELETE FROM attempt_counters');
    const statuses: number[] = [];
    for (const forwarded of many((at) => `198.51.100.7:${at + 1}`))
      statuses.push(
        (
          await request(keks.url, '/oauth/revoke', {
            method: 'POST',
            headers: { 'x-forwarded-for': forwarded },
            body: new URLSearchParams({ token: 'x', client_id: 'c', client_secret: 'kcs_wrong' }),
          })
        ).status,
      );
    expect(statuses).toEqual([...Array(LIMIT).fill(401), ...Array(25 - LIMIT).fill(429)]);
  });

  it('is not read as Forwarded (RFC 7239)', async () => {
    await keks.database.client.query('DELETE FROM attempt_counters');
    const statuses: number[] = [];
    for (let at = 0; at <= LIMIT; at += 1)
      statuses.push(
        (
          await post(
            keks.url,
            '/issue',
            { user: 'nobody', password: 'wrong' },
            { forwarded: `for=192.0.2.${at}` },
          )
        ).status,
      );
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('X-Forwarded-For from anybody else', () => {
  it('is not looked at', async () => {
    const keks = await startTestApp({ LOGIN_FAILURES_PER_ADDRESS: String(LIMIT), TRUST_PROXY: '10.9.0.1' });
    const statuses: number[] = [];
    for (let at = 0; at <= LIMIT; at += 1)
      statuses.push(
        (
          await post(
            keks.url,
            '/issue',
            { user: 'nobody', password: 'wrong' },
            { 'x-forwarded-for': `192.0.2.${at}` },
          )
        ).status,
      );
    expect(statuses).toEqual([...Array(LIMIT).fill(401), 429]);
    await keks.close();
  });
});

describe('TRUST_PROXY as a number', () => {
  it('passes over as many addresses from the end, whatever they are, and over no more', async () => {
    const keks = await startTestApp({ TRUST_PROXY: '2' });
    await keks.addUser('Ann');
    const noted: unknown[] = [];
    for (const forwarded of [
      '192.0.2.1, 192.0.2.2, 192.0.2.3',
      '192.0.2.2, 192.0.2.3',
      '192.0.2.3',
      'text, 192.0.2.2, 192.0.2.3',
      '192.0.2.2, text',
    ]) {
      await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD }, { 'x-forwarded-for': forwarded });
      const { rows } = await keks.database.client.query(
        'SELECT ip FROM grants ORDER BY created_at DESC, id DESC',
      );
      noted.push(rows[0]?.ip);
      await keks.database.client.query('DELETE FROM grants');
    }
    expect(noted).toEqual(['192.0.2.2', '192.0.2.2', '192.0.2.3', '192.0.2.2', '127.0.0.1']);
    await keks.close();
  });
});
