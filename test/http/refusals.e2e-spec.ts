import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusals } from '../../src/auth/audit/refusals.js';
import { OWN_MOST, Repeats } from '../../src/auth/audit/repeats.js';
import { addClient } from '../support/oauth.js';
import { PASSWORD, post, request, startTestApp, type Answer, type TestApp } from '../support/test-app.js';

describe('what is refused is in the audit log, with its reason', () => {
  let keks: TestApp;
  let client: { client_id: string; client_secret: string };

  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('Ann');
    const { clientId, clientSecret } = await addClient(keks, { scope: ['cookies:eat'] });
    client = { client_id: clientId, client_secret: clientSecret };
  });

  afterAll(() => keks.close());

  const token = (fields: Record<string, string>): Promise<Answer> =>
    request(keks.url, '/oauth/token', { method: 'POST', body: new URLSearchParams(fields) });

  const eventsOf = async (answer: Answer): Promise<unknown[]> => {
    const { rows } = await keks.database.client.query(
      'SELECT type, actor, ip, detail FROM audit_events WHERE request_id = $1',
      [answer.headers.get('x-request-id')],
    );
    return rows;
  };

  it('a login that asks for too much', async () => {
    const answer = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, scope: 'keks:admin' });
    expect(answer.status).toBe(400);
    expect(await eventsOf(answer)).toEqual([
      { type: 'token.refused', actor: 'user:Ann', ip: '127.0.0.1', detail: { reason: 'invalid_scope' } },
    ]);
  });

  it.each([
    [{ scope: 'keks:admin' }, 'invalid_scope'],
    [{ resource: 'https://nobody.example' }, 'invalid_target'],
  ])('a client that asks for %j', async (wish, reason) => {
    const answer = await token({ grant_type: 'client_credentials', ...client, ...wish });
    expect(answer.status).toBe(400);
    expect(await eventsOf(answer)).toEqual([
      { type: 'token.refused', actor: `client:${client.client_id}`, ip: '127.0.0.1', detail: { reason } },
    ]);
  });

  it('a client with the wrong secret, by the id that it claims', async () => {
    const answer = await token({ grant_type: 'client_credentials', ...client, client_secret: 'kcs_wrong' });
    expect(answer.status).toBe(401);
    expect(await eventsOf(answer)).toEqual([
      {
        type: 'client.refused',
        actor: null,
        ip: '127.0.0.1',
        detail: { client_id: client.client_id, reason: 'invalid_client' },
      },
    ]);
  });

  it('a client that nobody knows, without what it called itself', async () => {
    const answer = await token({
      grant_type: 'client_credentials',
      client_id: 'a secret?',
      client_secret: 'x',
    });
    expect(await eventsOf(answer)).toEqual([
      expect.objectContaining({ detail: { client_id: null, reason: 'invalid_client' } }),
    ]);
  });

  it('a refresh token of ours that is dead, and one that a client presents', async () => {
    const issued = await post(keks.url, '/issue', {
      user: 'Ann',
      password: PASSWORD,
      scope: 'offline_access',
    });
    const { refresh_token: refresh } = issued.body as { refresh_token: string };
    const foreign = await token({ grant_type: 'refresh_token', refresh_token: refresh, ...client });
    expect(await eventsOf(foreign)).toEqual([
      expect.objectContaining({ actor: `client:${client.client_id}`, detail: { reason: 'invalid_grant' } }),
    ]);
    await post(keks.url, '/revoke', { token: refresh });
    const dead = await token({ grant_type: 'refresh_token', refresh_token: refresh });
    expect(await eventsOf(dead)).toEqual([
      expect.objectContaining({ type: 'token.refused', actor: null, detail: { reason: 'invalid_grant' } }),
    ]);
  });

  it('a dead refresh token, however often: one row a minute, and how often it came again', async () => {
    keks.clock.freeze();
    const rowsOf = async (): Promise<unknown[]> => {
      const { rows } = await keks.database.client.query(
        `SELECT detail FROM audit_events WHERE type = 'token.refused' ORDER BY created_at, detail ? 'repeated'`,
      );
      return rows.map(({ detail }) => detail);
    };
    const deadToken = async (): Promise<string> => {
      const { body } = await post(keks.url, '/issue', {
        user: 'Ann',
        password: PASSWORD,
        scope: 'offline_access',
      });
      const { refresh_token } = body as { refresh_token: string };
      await post(keks.url, '/revoke', { token: refresh_token });
      return refresh_token;
    };
    const [one, other] = [await deadToken(), await deadToken()];
    await keks.database.client.query('DELETE FROM audit_events');
    const present = async (times: number, refresh_token: string): Promise<void> => {
      const fields = { grant_type: 'refresh_token', refresh_token };
      const answers = await Promise.all(Array.from({ length: times }, () => token(fields)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    };
    const reason = 'invalid_grant';
    await present(200, one);
    expect(await rowsOf()).toEqual([{ reason }]);
    await present(1, other);
    expect(await rowsOf()).toEqual([{ reason }, { reason }]);
    keks.clock.advance(61);
    await present(50, one);
    expect(await rowsOf()).toEqual([{ reason }, { reason }, { reason }, { reason, repeated: 199 }]);
    keks.clock.advance(61);
    await keks.app.get(Refusals).flush();
    expect(await rowsOf()).toEqual([
      ...[{ reason }, { reason }, { reason }],
      ...[
        { reason, repeated: 199 },
        { reason, repeated: 49 },
      ],
    ]);
  });

  it('but no garbage: anybody can send it, as much as they like', async () => {
    const answer = await token({ grant_type: 'refresh_token', refresh_token: 'krt_garbage' });
    expect(answer.status).toBe(400);
    expect(await eventsOf(answer)).toEqual([]);
  });

  it('a successor made with a key that this instance does not have is no theft: 503, and the login lives', async () => {
    const issued = await post(keks.url, '/issue', {
      user: 'Ann',
      password: PASSWORD,
      scope: 'offline_access',
    });
    const { token: access, refresh_token: refresh } = issued.body as Record<string, string>;
    const fields = { grant_type: 'refresh_token', refresh_token: refresh ?? '' };
    expect((await token(fields)).status).toBe(200);
    await keks.database.client.query(
      `UPDATE refresh_tokens SET successor = sha256('made elsewhere') WHERE used_at IS NOT NULL`,
    );
    const answer = await token(fields);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect((await post(keks.url, '/validate', { token: access })).status).toBe(200);
  });
});

describe('what is counted instead of written', () => {
  const again = (key: number) => ({ kind: 'refused', key: `${key}` });

  it('is the same again, and what is more than there is room for in a minute', () => {
    const repeats = new Repeats<number>();
    for (let at = 0; at < OWN_MOST; at += 1) expect(repeats.isFirst(again(at), at, 0)).toBe(true);
    expect(repeats.isFirst(again(0), 1, 0)).toBe(false);
    const more = [1_000, 1_001, 1_000].map((at) => repeats.isFirst(again(at), at, 0));
    expect(more).toEqual([true, false, false]);
    expect(repeats.isFirst({ kind: 'another' }, 1, 0)).toBe(true);
    expect(repeats.over(59_999)).toEqual([]);
    expect(repeats.over(60_000)).toEqual([
      expect.objectContaining({ times: 1, isRest: false }),
      expect.objectContaining({ times: 2, isRest: true }),
    ]);
    expect(repeats.size).toBe(0);
    expect(repeats.isFirst(again(1_000), 1, 60_000)).toBe(true);
  });

  it('is bounded also where nothing can be told: the oldest goes', () => {
    const repeats = new Repeats<number>();
    for (let minute = 0; minute < 20; minute += 1)
      for (let at = 0; at < OWN_MOST; at += 1)
        repeats.isFirst(again(minute * OWN_MOST + at), at, minute * 60_000);
    expect(repeats.size).toBe(1_000);
  });
});
