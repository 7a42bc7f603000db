import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeySchedule } from '../../src/auth/keys/key-schedule.js';
import { EventSender } from '../../src/auth/receivers/event-sender.js';
import { ReceiverUpkeep } from '../../src/auth/receivers/receiver-upkeep.js';
import { Receivers } from '../../src/auth/receivers/receivers.js';
import { ReceiversModule } from '../../src/auth/receivers/receivers.module.js';
import { SealedAuthorizations } from '../../src/auth/receivers/sealed-authorizations.js';
import { answers, EventReceiver, takes } from '../support/event-receiver.js';
import { parseExposition } from '../support/exposition.js';
import { startInstance } from '../support/instance.js';
import { commandLine, keksHere } from '../support/keks-here.js';
import { untilWaiting } from '../support/locks.js';
import { addClient, BY_OPERATOR } from '../support/oauth.js';
import {
  environment,
  get,
  PATIENTLY,
  request,
  SECRET_KEY,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

interface Item {
  readonly id: string;
  readonly name: string;
  readonly [member: string]: unknown;
}

let keks: TestApp;
let admin: string;
let receiver: EventReceiver;
let settings: Record<string, string>;

const { json, refused, run } = commandLine(() => settings, 'receiver');

const call = (method: string, path: string, body?: object, token = admin): Promise<Answer> =>
  request(keks.url, path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
const add = (more: object = {}): Promise<Answer> =>
  call('POST', '/admin/receivers', { name: 'siem', url: receiver.url, ...more });
const one = async (): Promise<Item> =>
  ((await call('GET', '/admin/receivers')).body as { items: Item[] }).items[0] ?? { id: '', name: '' };
const eventsOf = async (type: string): Promise<unknown[]> => {
  const { rows } = await keks.database.client.query<{ actor: string; detail: unknown }>(
    'SELECT actor, detail FROM audit_events WHERE type = $1 ORDER BY created_at DESC LIMIT 1',
    [type],
  );
  return rows.flatMap(({ actor, detail }) => [actor, detail]);
};

beforeAll(async () => {
  keks = await startTestApp({ RECEIVERS_PRIVATE_ADDRESSES: 'true' });
  settings = environment(keks.database.url, { RECEIVERS_PRIVATE_ADDRESSES: 'true' });
  await keks.addUser('Boss', 'keks:admin');
  await keks.addUser('Ann');
  admin = await keks.login('Boss');
});

afterAll(() => keks.close());

beforeEach(async () => {
  receiver = await EventReceiver.start();
});

afterEach(async () => {
  for (const { id } of await keks.app.get(Receivers).list())
    await keks.app.get(Receivers).remove(id, BY_OPERATOR);
  await receiver.close();
});

describe('/admin/receivers', () => {
  it.each([
    ['a token is revoked', '/revoke'],
    ['all logins of a person end', '/sessions'],
  ])('is removed while %s: that is waited for, and is done', async (_, path) => {
    const { id } = (await add()).body as Item;
    const token = await keks.login('Ann');
    const { client } = keks.database;
    await client.query('BEGIN');
    await client.query('DELETE FROM receivers WHERE id = $1', [id]);
    const ended =
      path === '/revoke'
        ? request(keks.url, path, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ token }),
          })
        : call('DELETE', path, undefined, token);
    await untilWaiting(keks.database, 1, ended);
    await client.query('COMMIT');
    expect((await ended).status).toBeLessThan(300);
    expect((await get(keks.url, '/cookies', token)).status).toBe(401);
  });

  it('adds one, shows it without what it wants in Authorization, and removes it; the audit log has both', async () => {
    const made = await add({ events: ['session-revoked'], authorization: 'Bearer d29scGVz' });
    const shown = {
      ...{ id: expect.any(String), name: 'siem', url: receiver.url, audience: receiver.url },
      ...{ events: ['session-revoked'], has_authorization: true, created_at: expect.any(String) },
      ...{ undelivered: 0, oldest_at: null, failing_since: null, last_error: null, delivered: 0 },
      ...{ delivered_at: null, verifying: false, verified_at: null, refused: 0, given_up: 0, lost_at: null },
    };
    expect([made.status, made.body]).toEqual([201, shown]);
    expect((await call('GET', '/admin/receivers')).body).toEqual({ items: [shown], next: null });
    const { id } = made.body as Item;
    expect((await call('GET', `/admin/receivers/${id}`)).body).toEqual(shown);
    const at = new URL(receiver.url).origin;
    expect(await eventsOf('receiver.added')).toEqual([
      'user:Boss',
      { receiver: 'siem', at, audience: receiver.url, events: ['session-revoked'] },
    ]);
    expect((await call('DELETE', `/admin/receivers/${id}`)).status).toBe(204);
    expect((await call('DELETE', `/admin/receivers/${id}`)).status).toBe(404);
    expect(await eventsOf('receiver.removed')).toEqual(['user:Boss', { receiver: 'siem' }]);
  });

  it.each([
    ['name', { name: 'Not A Name' }],
    ['name', { name: '-' }],
    ['url', { url: 'ftp://receiver.example/' }],
    ['url', { url: 'not an address' }],
    ['url', { url: 'https://ann:secret@receiver.example/' }],
    ['url', { url: 'https://receiver.example/#here' }],
    ['url', { url: 'https://169.254.169.254/latest' }],
    ['url', { url: 'http://93.184.216.34/' }],
    ['audience', { audience: 'two words' }],
    ['events', { events: ['cookie-eaten'] }],
    ['events', { events: [] }],
    ['events', { events: ['session-revoked', 'session-revoked'] }],
    ['authorization', { authorization: 'Bearer x\r\nHost: other' }],
  ])('400 for a %s that will not do', async (parameter, more) => {
    const answer = await add(more);
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'invalid_request', error_description: expect.any(String), parameter },
    ]);
  });

  it('409 for a name that is there, 400 for an eleventh, also of many at once', async () => {
    await add();
    expect((await add()).body).toMatchObject({ error: 'name_taken', parameter: 'name' });
    const made = await Promise.all(Array.from({ length: 20 }, (_, at) => add({ name: `no-${at}` })));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(9);
    expect(made.find(({ status }) => status !== 201)?.body).toMatchObject({ error: 'invalid_request' });
  });

  it('403 for whoever is no administrator, 404 for what is not there', async () => {
    const token = await keks.login('Ann');
    for (const [method, path] of [
      ['GET', '/admin/receivers'],
      ['POST', '/admin/receivers'],
    ] as const)
      expect((await call(method, path, undefined, token)).status).toBe(403);
    const nobody = '/admin/receivers/5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';
    expect((await call('GET', nobody)).status).toBe(404);
    expect((await call('POST', `${nobody}/test`)).status).toBe(404);
  });

  it('tries one: it is sent a verification event, before all that waits', async () => {
    await add();
    const { id } = await one();
    receiver.behave = answers(500);
    await addClient(keks).then(({ clientId }) =>
      call('PATCH', `/admin/clients/${clientId}`, { disabled: true }),
    );
    await expect.poll(async () => (await one())['failing_since'], PATIENTLY).not.toBeNull();
    receiver.behave = takes;
    receiver.heard.splice(0);
    expect((await call('POST', `/admin/receivers/${id}/test`)).status).toBe(202);
    await expect.poll(async () => (await one())['verified_at'], PATIENTLY).not.toBeNull();
    const [first] = receiver.heard;
    expect(first).toMatchObject({
      event: 'verification',
      said: { state: expect.any(String) },
      claims: { sub_id: { format: 'opaque', id } },
    });
    expect(first?.said).toEqual({ state: expect.any(String) });
    await expect.poll(async () => (await one())['undelivered'], PATIENTLY).toBe(0);
    expect(await eventsOf('receiver.tested')).toEqual(['user:Boss', { receiver: 'siem' }]);
  });
});

describe('keks receiver', () => {
  it('adds one with what it wants from standard input, lists, shows and removes it', async () => {
    const added = await keksHere(
      settings,
      [
        'receiver',
        'add',
        'siem',
        receiver.url,
        '--authorization-stdin',
        '--event',
        'session-revoked',
        '--json',
      ],
      { input: 'Bearer d29scGVz\n' },
    );
    expect(added.code).toBe(0);
    expect(added.stdout).not.toContain('d29scGVz');
    const listed = await json<Item[]>('list');
    expect(listed).toEqual([expect.objectContaining({ name: 'siem', has_authorization: true })]);
    expect(await json<Item>('show', 'siem')).toEqual(listed[0]);
    expect((await run('list')).stdout).toContain('has been sent nothing');
    expect(await json('remove', 'siem')).toEqual({ id: listed[0]?.id, removed: true });
    expect(await refused('show', 'siem')).toEqual([1, 'not_found']);
  });

  it.each([
    ['a name', ['add', 'Not A Name', 'https://receiver.example/']],
    ['an address', ['add', 'siem', 'https://169.254.169.254/']],
    ['an event', ['add', 'siem', 'https://receiver.example/', '--event', 'cookie-eaten']],
  ])('refuses %s that will not do', async (_, args) => {
    expect(await refused(...args)).toEqual([1, 'invalid_request']);
  });

  it('refuses private addresses where the setting does not allow them', async () => {
    const { code, stderr } = await keksHere(environment(keks.database.url), [
      ...['receiver', 'add', 'siem', receiver.url],
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('RECEIVERS_PRIVATE_ADDRESSES=true')]);
  });

  it('tries one, and says what became of it', async () => {
    await json('add', 'siem', receiver.url);
    const pumped = setInterval(() => keks.app.get(EventSender).wake(), 50);
    try {
      expect((await run('test', 'siem')).stdout).toBe('siem has taken it.\n');
      receiver.behave = answers(401);
      const { code, stderr } = await run('test', 'siem');
      expect([code, stderr]).toEqual([1, 'siem did not take it: it answered 401, and not 202.\n']);
    } finally {
      clearInterval(pumped);
    }
    // somebody has seen it: it is not tried again
    expect((await keks.app.get(Receivers).find('siem'))?.undelivered).toBe(0);
  });
});

describe('who looks', () => {
  const finding = async (): Promise<unknown> => {
    const { stdout } = await keksHere(settings, ['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { check: string }[] };
    return checks.find(({ check }) => check === 'receivers');
  };

  it('with keks doctor sees that a receiver fails, why, and what was lost', async () => {
    expect(await finding()).toMatchObject({ status: 'ok', message: 'nobody is told of what ends' });
    await add();
    expect(await finding()).toMatchObject({ status: 'ok', message: '1, and each takes what it is sent' });
    receiver.behave = answers(503);
    const { clientId } = await addClient(keks);
    await call('PATCH', `/admin/clients/${clientId}`, { disabled: true });
    await expect.poll(async () => (await one())['failing_since'], PATIENTLY).not.toBeNull();
    expect(await finding()).toEqual({
      check: 'receivers',
      status: 'fail',
      message: 'siem has taken nothing for a minute: it answered 503, and not 202; 1 event waits',
      mend: 'mend it, and try it with "keks receiver test siem"',
    });
    await keks.database.client.query(
      'UPDATE receivers SET failing_since = NULL, given_up = 7, lost_at = now()',
    );
    await keks.database.client.query('DELETE FROM undelivered_events');
    expect(await finding()).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('siem was not told of 7 events that were given up'),
    });
  });

  it('at /metrics sees what waits, since when it fails, and what was lost', async () => {
    await add();
    receiver.behave = answers(503);
    const { clientId } = await addClient(keks);
    await call('PATCH', `/admin/clients/${clientId}`, { disabled: true });
    await expect.poll(async () => (await one())['failing_since'], PATIENTLY).not.toBeNull();
    await keks.database.client.query('UPDATE receivers SET given_up = 7, refused = 2');
    await keks.app.get(ReceiverUpkeep).run();
    await keks.addUser('Prometheus', 'keks:metrics');
    const token = await keks.login('Prometheus');
    const { body } = await get(keks.url, '/metrics', token);
    const families = parseExposition(String(body));
    const value = (name: string): number | undefined =>
      families.get(name)?.samples.find(({ labels }) => labels['receiver'] === 'siem')?.value;
    expect(value('keks_receiver_undelivered')).toBe(1);
    expect(value('keks_receiver_failing_seconds')).toBeGreaterThan(0);
    expect(value('keks_receiver_lost')).toBe(9);
    expect(value('keks_receiver_delivered')).toBe(0);
  });
});

describe('another SECRET_KEY', () => {
  it('opens what receivers want with the one before, and seals it anew', async () => {
    await add({ authorization: 'Bearer d29scGVz' });
    const { id } = await one();
    const sealed = async (): Promise<Buffer> => {
      const { rows } = await keks.database.client.query<{ sealed: Buffer }>(
        'SELECT sealed_authorization AS sealed FROM receivers',
      );
      return rows[0]?.sealed ?? Buffer.alloc(0);
    };
    const before = await sealed();
    const fresh = randomBytes(32).toString('hex');
    const more = { SECRET_KEY: fresh, SECRET_KEY_PREVIOUS: SECRET_KEY };
    const next = await startInstance(keks.database.url, keks.clock, more, [ReceiversModule]);
    const authorizations = next.get(SealedAuthorizations);
    expect(authorizations.open(id, before)).toBe('Bearer d29scGVz');
    // one receiver's is no other's
    expect(authorizations.open('5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11', before)).toBeUndefined();
    await authorizations.reseal();
    expect(await sealed()).toEqual(before);
    // once all instances make with it
    await next.get(KeySchedule).run();
    keks.clock.advance(86_400);
    await next.get(KeySchedule).run();
    await authorizations.reseal();
    expect(await sealed()).not.toEqual(before);
    await next.close();
    const alone = await startInstance(keks.database.url, keks.clock, { SECRET_KEY: fresh }, [
      ReceiversModule,
    ]);
    expect(alone.get(SealedAuthorizations).open(id, await sealed())).toBe('Bearer d29scGVz');
    await alone.close();
  });
});
