import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { RemoteValidator, type RemoteValidatorOptions } from 'keks-guard/remote';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, startFakeAuthority, type FakeAuthority } from '../support/fake-authority.js';
import { soonerThan } from '../support/sooner.js';
import { expectNoVerdict } from '../support/no-verdict.js';
import { freePort } from '../support/ports.js';
import { PATIENT_MS } from '../support/test-app.js';

const ACTIVE = {
  active: true,
  sub: 'user',
  client_id: 'keks',
  scope: 'cookies:eat cookies:bake',
  aud: 'https://api.example',
  exp: 4_000_000_000,
  jti: 'id',
  token_type: 'Bearer',
};
const PRINCIPAL = {
  subject: 'user',
  clientId: 'keks',
  scope: ['cookies:eat', 'cookies:bake'],
  audience: ['https://api.example'],
  expiresAt: 4_000_000_000,
  tokenId: 'id',
};

describe('RemoteValidator', () => {
  let authority: FakeAuthority;
  const validators: RemoteValidator[] = [];

  beforeEach(async () => {
    authority = await startFakeAuthority(json(ACTIVE));
  });

  afterEach(async () => {
    for (const one of validators.splice(0)) one.onApplicationShutdown();
    await authority.close();
  });

  function validator(options: Partial<RemoteValidatorOptions> = {}): RemoteValidator {
    const one = new RemoteValidator({
      introspectionEndpoint: `${authority.url}/oauth/introspect`,
      clientId: 'c-1',
      clientSecret: 'kcs_secret',
      timeoutMs: PATIENT_MS,
      ...options,
    });
    validators.push(one);
    return one;
  }

  const untilSent = (count: number) => expect.poll(() => authority.questions.length).toBe(count);

  it('sends the traceparent that it is given, if it is one (W3C Trace Context §3.2); the API’s own goes first', async () => {
    const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const own = given.replace('00f0', '11f1');
    await validator().validate('kat_a', given);
    await validator().validate('kat_b', `${given}\r\nx: y`);
    await validator().validate('kat_c', given.toUpperCase());
    await validator({ traceparent: () => own }).validate('kat_d', given);
    await validator({ traceparent: () => undefined }).validate('kat_e', given);
    expect(authority.questions.map(({ headers }) => headers['traceparent'])).toEqual([
      given,
      undefined,
      undefined,
      own,
      given,
    ]);
    expect(authority.questions[0]?.headers['authorization']).toBe(
      authority.questions[1]?.headers['authorization'],
    );
  });

  describe('asks as RFC 7662 §2.1 says', () => {
    it('a POST of a form, with the client’s credentials, form-encoded (RFC 6749 §2.3.1)', async () => {
      const one = validator({ clientId: 'a:b c+d', clientSecret: 'ß%&=~' });
      await one.validate('kat_token+/==');
      const [question] = authority.questions;
      expect(question).toMatchObject({ method: 'POST', path: '/oauth/introspect' });
      expect(question?.headers['content-type']).toBe('application/x-www-form-urlencoded');
      expect([...new URLSearchParams(question?.body)]).toEqual([
        ['token', 'kat_token+/=='],
        ['token_type_hint', 'access_token'],
      ]);
      const basic = Buffer.from(question?.headers.authorization?.slice(6) ?? '', 'base64').toString();
      expect(basic).toBe('a%3Ab+c%2Bd:%C3%9F%25%26%3D~');
    });

    it('over connections that are kept', async () => {
      const one = validator();
      for (let round = 0; round < 5; round += 1) await one.validate(`kat_token${round}`);
      expect(authority.connections).toBe(1);
    });

    it('over no more connections than it may open; the others wait', async () => {
      const one = validator({ connections: 3 });
      await Promise.all(Array.from({ length: 30 }, (_, at) => one.validate(`kat_token${at}`)));
      expect([authority.connections, authority.questions.length]).toEqual([3, 30]);
    });
  });

  describe('reads the answer strictly (RFC 7662 §2.2)', () => {
    it('an active token is a principal', async () => {
      expect(await validator().validate('kat_token')).toEqual({ active: true, principal: PRINCIPAL });
    });

    it('a list of audiences, no scope, another spelling of the type', async () => {
      const { scope: _, ...answer } = ACTIVE;
      authority.answer = json({ ...answer, aud: ['a', 'b'], token_type: 'bearer' });
      expect(await validator().validate('kat_token')).toEqual({
        active: true,
        principal: { ...PRINCIPAL, audience: ['a', 'b'], scope: [] },
      });
    });

    it('not active is a verdict, whatever else it says', async () => {
      for (const answer of [{ active: false }, { ...ACTIVE, active: false }]) {
        authority.answer = json(answer);
        expect(await validator().validate('kat_token')).toEqual({ active: false, reason: 'inactive' });
      }
    });

    it('refuses what an authority calls active and not an access token, as Hydra does of refresh tokens', async () => {
      for (const use of ['refresh_token', 'id_token', null, 1]) {
        authority.answer = json({ ...ACTIVE, token_use: use });
        expect(await validator().validate('some-token')).toEqual({ active: false, reason: 'wrong_kind' });
      }
      authority.answer = json({ ...ACTIVE, token_use: 'access_token' });
      expect(await validator().validate('some-token')).toMatchObject({ active: true });
    });

    it('a token that is good for something else is refused: a refresh token, one bound in a way not known here', async () => {
      const jkt = 'x'.repeat(43);
      for (const more of [
        ...[{ token_type: undefined }, { token_type: 'DPoP' }, { token_type: 1 }],
        ...['x', {}, null, { jkt: 'short' }, { jkt, 'x5t#S256': jkt }, { 'x5t#S256': jkt }].map((cnf) => ({
          cnf,
        })),
      ]) {
        authority.answer = json({ ...ACTIVE, ...more });
        expect(await validator().validate('krt_token')).toEqual({ active: false, reason: 'wrong_kind' });
      }
    });

    it.each(['DPoP', 'Bearer'])('a token that is bound to a key is known by its cnf: %s', async (type) => {
      const jkt = 'x'.repeat(43);
      authority.answer = json({ ...ACTIVE, token_type: type, cnf: { jkt } });
      expect(await validator().validate('token')).toMatchObject({ active: true, principal: { jkt } });
    });

    it.each<[string, unknown]>([
      ['nothing', ''],
      ['no JSON', '<html>Marker</html>'],
      ['a list', [ACTIVE]],
      ['null', 'null'],
      ['a string', '"Marker"'],
      ['active as a string', { ...ACTIVE, active: 'true' }],
      ['active as a number', { ...ACTIVE, active: 1 }],
      ['no active', { ...ACTIVE, active: undefined }],
      ['no subject', { ...ACTIVE, sub: undefined }],
      ['an empty subject', { ...ACTIVE, sub: '' }],
      ['no client', { ...ACTIVE, client_id: undefined }],
      ['no id', { ...ACTIVE, jti: undefined }],
      ['no expiry', { ...ACTIVE, exp: undefined }],
      ['an expiry as a string', { ...ACTIVE, exp: '4000000000' }],
      ['an expiry with a fraction', { ...ACTIVE, exp: 4e9 + 0.5 }],
      ['scope as a list', { ...ACTIVE, scope: ['cookies:eat'] }],
      ['an audience that is no text', { ...ACTIVE, aud: [1] }],
    ])('%s is no verdict', async (_, answer) => {
      authority.answer = json(answer);
      await expectNoVerdict(validator().validate('kat_token'), 'bad_answer');
    });

    it.each([201, 204, 302, 307, 400, 403, 404, 429, 500, 503])('nor is %i', async (status) => {
      authority.answer = json(ACTIVE, status, { location: `${authority.url}/elsewhere` });
      await expectNoVerdict(validator().validate('kat_token'), 'bad_answer');
      expect(authority.questions.map(({ path }) => path)).toEqual(['/oauth/introspect']);
    });

    it('nor is another media type', async () => {
      authority.answer = json(ACTIVE, 200, { 'content-type': 'text/html' });
      await expectNoVerdict(validator().validate('kat_token'), 'bad_answer');
    });

    it('nor is an answer without end', async () => {
      authority.answer = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = (): void => {
          while (response.write('x'.repeat(16_384)));
          response.once('drain', more);
        };
        more();
      };
      await expectNoVerdict(validator().validate('kat_token'), 'bad_answer');
    });

    it('401 means that we are not known: a fault of ours, never the caller’s', async () => {
      authority.answer = json({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic realm="x"' });
      await expectNoVerdict(validator().validate('kat_token'), 'credentials_refused');
    });
  });

  describe('gives no verdict without an answer', () => {
    it('when nobody listens', async () => {
      const introspectionEndpoint = `http://127.0.0.1:${await freePort()}/`;
      await expectNoVerdict(validator({ introspectionEndpoint }).validate('kat_token'), 'unreachable');
    });

    it('when the answer breaks off', async () => {
      authority.answer = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"active":true');
        setTimeout(() => response.destroy(), 20);
      };
      await expectNoVerdict(validator().validate('kat_token'), 'unreachable');
    });

    it.each<[string, FakeAuthority['answer']]>([
      ['no answer comes', () => undefined],
      [
        'it comes too slowly',
        (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          const timer = setInterval(() => response.write(' '), 10);
          response.on('close', () => clearInterval(timer));
        },
      ],
    ])('in time when %s', async (_, answer) => {
      authority.answer = answer;
      const asked = validator({ timeoutMs: 150 }).validate('kat_token');
      await soonerThan(1_000, expectNoVerdict(asked, 'timed_out'));
    });

    it('in time for those who wait too: no question takes longer than its time', async () => {
      authority.answer = () => undefined;
      const one = validator({ timeoutMs: 150, connections: 2 });
      const asked = Array.from({ length: 20 }, (_, at) => one.validate(`kat_token${at}`));
      // one after the other, two at a time, they would take 1,500 ms
      await soonerThan(1_000, Promise.all(asked.map((each) => expectNoVerdict(each, 'timed_out'))));
      authority.answer = json(ACTIVE);
      const again = (): Promise<boolean> =>
        one.validate('kat_token').then(
          ({ active }) => active,
          () => false,
        );
      await expect.poll(again).toBe(true);
    });

    it('when the peer takes the connection and is silent', async () => {
      const silent = createServer();
      silent.listen(0, '127.0.0.1');
      await sleep(20);
      const { port } = silent.address() as { port: number };
      const introspectionEndpoint = `https://127.0.0.1:${port}/`;
      await expectNoVerdict(
        validator({ introspectionEndpoint, timeoutMs: 150 }).validate('kat_token'),
        'timed_out',
      );
      silent.close();
    });

    it('when too many wait already', async () => {
      authority.answer = () => undefined;
      const one = validator({ connections: 1, timeoutMs: 200 });
      const asked = Array.from({ length: 10_001 }, (_, at) => one.validate(`kat_token${at}`));
      const rest = Promise.allSettled(asked);
      await expectNoVerdict(one.validate('kat_token'), 'overloaded');
      await rest;
    });
  });

  it('asks again at once when a kept connection turns out to be closed', async () => {
    const one = validator();
    await one.validate('kat_token');
    authority.answer = (_request, response) => {
      authority.answer = json(ACTIVE);
      response.socket?.destroy();
    };
    expect((await one.validate('kat_token')).active).toBe(true);
    expect(authority.questions).toHaveLength(3);
  });

  it('is itself again as soon as the authority is', async () => {
    const one = validator();
    await one.validate('kat_token');
    authority.answer = json({}, 503);
    await expectNoVerdict(one.validate('kat_token'), 'bad_answer');
    authority.answer = json(ACTIVE);
    expect((await one.validate('kat_token')).active).toBe(true);
  });

  describe('the same token, asked about at once', () => {
    /** Every answer waits until the test lets it go. */
    const held: (() => void)[] = [];
    const holding: FakeAuthority['answer'] = (request, response) => {
      held.push(() => json(ACTIVE)(request, response));
    };

    beforeEach(() => {
      held.length = 0;
      authority.answer = holding;
    });

    it('never joins a question in flight: its answer could be older than a revoke', async () => {
      const one = validator();
      const first = one.validate('kat_token');
      await untilSent(1);
      const second = one.validate('kat_token');
      await untilSent(2);
      authority.answer = json({ active: false });
      held.shift()?.();
      expect((await first).active).toBe(true);
      held.shift()?.();
      await second;
    });

    it('joins one that still waits for its turn', async () => {
      const one = validator({ connections: 1 });
      const first = one.validate('kat_other');
      await untilSent(1);
      const waiting = Array.from({ length: 5 }, () => one.validate('kat_token'));
      held.shift()?.();
      await untilSent(2);
      const late = one.validate('kat_token');
      held.shift()?.();
      await untilSent(3);
      held.shift()?.();
      const verdicts = await Promise.all([first, ...waiting, late]);
      expect(verdicts.every(({ active }) => active)).toBe(true);
      expect(authority.questions).toHaveLength(3);
    });

    it('keeps the answers apart', async () => {
      authority.answer = (request, response) => {
        const token = new URLSearchParams(authority.questions.at(-1)?.body).get('token') ?? '';
        const answer = token.endsWith('0') ? { active: false } : { ...ACTIVE, sub: token };
        setTimeout(() => json(answer)(request, response), Math.random() * 20);
      };
      const one = validator({ connections: 7 });
      const tokens = Array.from({ length: 200 }, (_, at) => `kat_${at % 50}`);
      const verdicts = await Promise.all(tokens.map((token) => one.validate(token)));
      const subjects = verdicts.map((each) => (each.active ? each.principal.subject : undefined));
      expect(subjects).toEqual(tokens.map((token) => (token.endsWith('0') ? undefined : token)));
    });
  });

  describe('cacheSeconds', () => {
    let now: number;
    const cached = (more: Partial<RemoteValidatorOptions> = {}) =>
      validator({ cacheSeconds: 5, now: () => now, ...more });

    beforeEach(() => {
      now = 1_900_000_000_000;
    });

    it('is off by default: every request asks', async () => {
      const one = validator();
      await one.validate('kat_token');
      await one.validate('kat_token');
      expect(authority.questions).toHaveLength(2);
    });

    it('remembers an active token for so long after it was asked about, not answered', async () => {
      const one = cached();
      authority.answer = (request, response) => {
        now += 1_000;
        json(ACTIVE)(request, response);
      };
      await one.validate('kat_token');
      now += 3_999;
      await one.validate('kat_token');
      expect(authority.questions).toHaveLength(1);
      now += 1;
      await one.validate('kat_token');
      expect(authority.questions).toHaveLength(2);
    });

    it('never beyond the expiry', async () => {
      const one = cached();
      authority.answer = json({ ...ACTIVE, exp: now / 1_000 + 2 });
      await one.validate('kat_token');
      now += 2_000;
      await one.validate('kat_token');
      expect(authority.questions).toHaveLength(2);
    });

    it('no longer when the clock is set back', async () => {
      const one = cached();
      await one.validate('kat_token');
      now -= 1;
      await one.validate('kat_token');
      expect(authority.questions).toHaveLength(2);
    });

    it('remembers neither refusals nor faults', async () => {
      const one = cached();
      authority.answer = json({ active: false });
      await one.validate('kat_token');
      authority.answer = json({}, 500);
      await expectNoVerdict(one.validate('kat_token'), 'bad_answer');
      authority.answer = json(ACTIVE);
      expect((await one.validate('kat_token')).active).toBe(true);
      expect(authority.questions).toHaveLength(3);
    });

    it('is bounded: the oldest goes first', async () => {
      const one = cached({ cacheEntries: 2 });
      for (const token of ['a', 'b', 'c', 'b', 'c', 'a']) await one.validate(token);
      expect(authority.questions.map(({ body }) => body.slice(6, 7))).toEqual(['a', 'b', 'c', 'a']);
    });

    it('holds no token in clear', async () => {
      const one = cached();
      await one.validate('kat_token');
      expect(inspect(one, { depth: 10, showHidden: true })).not.toContain('kat_token');
    });
  });

  describe('refuses options that cannot be meant', () => {
    it.each<[string, Partial<RemoteValidatorOptions>]>([
      ['plain http to another machine', { introspectionEndpoint: 'http://auth.example/introspect' }],
      ['plain http to what only looks like loopback', { introspectionEndpoint: 'http://127.0.0.1.example/' }],
      ['another scheme', { introspectionEndpoint: 'ftp://auth.example/' }],
      ['no URL', { introspectionEndpoint: '/oauth/introspect' }],
      ['credentials in the URL', { introspectionEndpoint: 'https://a:b@auth.example/' }],
      ['a fragment', { introspectionEndpoint: 'https://auth.example/#x' }],
      ['no client', { clientId: '' }],
      ['no secret', { clientSecret: '' }],
      ['no time', { timeoutMs: 0 }],
      ['half a millisecond', { timeoutMs: 0.5 }],
      ['a day of staleness', { cacheSeconds: 86_400 }],
      ['no connections', { connections: 0 }],
    ])('%s', (_, options) => {
      expect(() => validator(options)).toThrow(
        /^(?:introspectionEndpoint|client|timeoutMs|cache|connections)/,
      );
    });

    it('and takes https, loopback, and plain http where that was said', () => {
      const endpoints = [
        'https://auth.example/x',
        'http://localhost:3000/x',
        'http://[::1]/x',
        'http://127.1/',
      ];
      for (const introspectionEndpoint of endpoints)
        expect(() => validator({ introspectionEndpoint })).not.toThrow();
      const introspectionEndpoint = 'http://auth.internal/x';
      expect(() => validator({ introspectionEndpoint, allowHttp: true })).not.toThrow();
    });
  });

  it('shows its secret to nobody who prints it', () => {
    const one = validator();
    expect(inspect(one, { depth: 10, showHidden: true }) + JSON.stringify(one)).not.toMatch(
      /kcs_secret|Basic /,
    );
  });
});
