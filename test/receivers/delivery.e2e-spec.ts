import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Delivery } from '../../src/auth/receivers/delivery.js';
import { EventSender } from '../../src/auth/receivers/event-sender.js';
import { EventSenderModule } from '../../src/auth/receivers/event-sender.module.js';
import { ReceiverRules } from '../../src/auth/receivers/receiver-rules.js';
import { ReceiverUpkeep } from '../../src/auth/receivers/receiver-upkeep.js';
import { Receivers } from '../../src/auth/receivers/receivers.js';
import type { ReceiverRow } from '../../src/auth/receivers/receivers.sql.js';
import { SealedAuthorizations } from '../../src/auth/receivers/sealed-authorizations.js';
import { selfSigned } from '../support/certificate.js';
import { answers, EventReceiver, hangs, takes } from '../support/event-receiver.js';
import { startInstance } from '../support/instance.js';
import { BY_OPERATOR } from '../support/oauth.js';
import { PATIENTLY, startTestApp, type TestApp } from '../support/test-app.js';

let keks: TestApp;
let receiver: EventReceiver;
let id: string;

const receivers = (): Receivers => keks.app.get(Receivers);
const wake = (): void => keks.app.get(EventSender).wake();
const events = (): string[] => receiver.heard.map(({ claims }) => String(claims.sub_id['sub']));

async function add(name: string, url: string, more: object = {}): Promise<string> {
  const made = await receivers().add({ name, url, ...more }, BY_OPERATOR);
  if (!('added' in made)) throw new Error(made.flaw);
  return made.added.id;
}

async function state(which = id): Promise<ReceiverRow> {
  const found = await receivers().find(which);
  if (!found) throw new Error('there is no such receiver');
  return found;
}

/** Something happens: the audit log is told that clients of these names were disabled. */
async function happen(...names: string[]): Promise<void> {
  await keks.database.client.query(
    `INSERT INTO audit_events (created_at, type, actor, detail)
     SELECT $2, 'client.disabled', 'operator', jsonb_build_object('client_id', name) FROM unnest($1::text[]) AS name`,
    [names, new Date(keks.clock.now())],
  );
}

async function undelivered(count: number): Promise<void> {
  wake();
  await expect.poll(async () => (await state()).undelivered, PATIENTLY).toBe(count);
}

/** So many attempts have been made, and none is being made. */
async function attempts(count: number): Promise<void> {
  wake();
  await expect.poll(() => receiver.heard.length, PATIENTLY).toBe(count);
  await expect.poll(free, PATIENTLY).toBe(true);
}

async function free(): Promise<boolean> {
  const { rows } = await keks.database.client.query('SELECT FROM receivers WHERE leased_until IS NOT NULL');
  return rows.length === 0;
}

beforeAll(async () => {
  keks = await startTestApp({ RECEIVERS_PRIVATE_ADDRESSES: 'true' });
});

afterAll(() => keks.close());

beforeEach(async () => {
  receiver = await EventReceiver.start();
  id = await add('ours', receiver.url);
  keks.clock.freeze();
});

afterEach(async () => {
  receiver.behave = takes;
  for (const one of await receivers().list()) await receivers().remove(one.id, BY_OPERATOR);
  await receiver.close();
  keks.app.get(ReceiverRules).mostMs = 5_000;
});

describe('a receiver that works', () => {
  it('is told in the order in which things happened', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `c-${at}`);
    await happen(...names);
    await undelivered(0);
    expect(events()).toEqual(names);
    expect(await state()).toMatchObject({ delivered: 30, failing_since: null, last_error: null });
  });

  it('is sent what it wants in Authorization, which nobody can read in the database', async () => {
    await receivers().remove(id, BY_OPERATOR);
    id = await add('ours', receiver.url, { authorization: 'Bearer of cookies' });
    await happen('c-1');
    await undelivered(0);
    expect(receiver.heard[0]?.authorization).toBe('Bearer of cookies');
    const { rows } = await keks.database.client.query<{ sealed: Buffer }>(
      'SELECT sealed_authorization AS sealed FROM receivers',
    );
    expect(rows[0]?.sealed.toString('latin1')).not.toContain('cookies');
    const { rows: log } = await keks.database.client.query('SELECT detail FROM audit_events');
    expect(JSON.stringify(log)).not.toContain('of cookies');
    expect(keks.log.join('')).not.toContain('of cookies');
  });

  it('and answers something else than 202 has not taken it (RFC 8935 §2.2)', async () => {
    receiver.behave = answers(200);
    await happen('c-1');
    await attempts(1);
    expect(await state()).toMatchObject({ undelivered: 1, last_error: 'it answered 200, and not 202' });
  });
});

describe('a receiver that fails', () => {
  it('is tried again after 1, 2 and 4 seconds and so on, with the same jti, and told the rest in order', async () => {
    receiver.behave = answers(500);
    await happen('c-1', 'c-2', 'c-3');
    for (const [tried, pause] of [
      [1, 1],
      [2, 2],
      [3, 4],
    ] as const) {
      await attempts(tried);
      keks.clock.advance(pause - 0.01);
      await attempts(tried);
      keks.clock.advance(0.02);
    }
    const failing = await state();
    expect(failing).toMatchObject({ last_error: 'it answered 500, and not 202', undelivered: 3 });
    expect(failing.failing_since).toBeInstanceOf(Date);
    receiver.behave = takes;
    await undelivered(0);
    expect(events()).toEqual(['c-1', 'c-1', 'c-1', 'c-1', 'c-2', 'c-3']);
    expect(new Set(receiver.heard.slice(0, 4).map(({ claims }) => claims.jti)).size).toBe(1);
    expect(await state()).toMatchObject({ failing_since: null, last_error: null, delivered: 3 });
  });

  it('or is away is told when it comes back', async () => {
    await receiver.close();
    await happen('c-1', 'c-2');
    wake();
    await expect
      .poll(async () => (await state()).last_error, PATIENTLY)
      .toBe('it could not be reached (ECONNREFUSED)');
    await receiver.open();
    keks.clock.advance(2);
    await undelivered(0);
    expect(events()).toEqual(['c-1', 'c-2']);
  });

  it('or leads elsewhere is not followed', async () => {
    const elsewhere = await EventReceiver.start();
    receiver.behave = (response) => void response.writeHead(307, { location: elsewhere.url }).end();
    await happen('c-1');
    await attempts(1);
    expect((await state()).last_error).toBe('it answered 307, and not 202');
    expect(elsewhere.heard).toEqual([]);
    await elsewhere.close();
  });

  it('at one event only: after five attempts the others go first, and it is tried later', async () => {
    receiver.behave = (response, { claims }) =>
      void response.writeHead(claims.sub_id['sub'] === 'c-bad' ? 500 : 202).end();
    await happen('c-bad', 'c-1', 'c-2');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await attempts(attempt);
      keks.clock.advance(60);
    }
    await undelivered(1);
    expect(events().slice(5)).toEqual(['c-1', 'c-2']);
    keks.clock.advance(301);
    await attempts(8);
    await happen('c-3');
    await undelivered(1);
    expect(events().slice(7)).toEqual(['c-bad', 'c-3']);
    receiver.behave = takes;
    keks.clock.advance(3_601);
    await undelivered(0);
  });
});

describe('an event that is refused (RFC 8935 §2.4)', () => {
  it('with 400 and an err is not sent again, and that is told', async () => {
    receiver.behave = (response, heard) =>
      (heard.claims.sub_id['sub'] === 'c-1' ? answers(400, { err: 'invalid_audience' }) : takes)(
        response,
        heard,
        undefined as never,
      );
    await happen('c-1', 'c-2');
    await undelivered(0);
    expect(events()).toEqual(['c-1', 'c-2']);
    expect(await state()).toMatchObject({ delivered: 1, refused: 1, lost_at: expect.any(Date) });
    expect(keks.log.join('')).toContain('ours will never take client-disabled');
  });

  it.each([
    [
      'because of who sends it',
      { err: 'authentication_failed' },
      'it refused the event (authentication_failed)',
    ],
    ['for no reason that it gives', undefined, 'it answered 400, and not 202'],
    ['with words that are none', { err: 7 }, 'it answered 400, and not 202'],
  ])('%s is kept', async (_, body, why) => {
    receiver.behave = answers(400, body);
    await happen('c-1');
    await attempts(1);
    expect(await state()).toMatchObject({ undelivered: 1, refused: 0, last_error: why });
  });

  it('and repeats nothing of what a receiver says', async () => {
    receiver.behave = answers(400, { err: 'Robert"; DROP TABLE', description: 'a secret' });
    await happen('c-1');
    await undelivered(0);
    expect((await state()).last_error).toBe('it refused the event (for a reason of its own)');
    expect(keks.log.join('')).not.toMatch(/DROP TABLE|a secret/);
  });
});

describe('a receiver that does not answer', () => {
  it('costs the others nothing, and is left after 5 s, here 300 ms', async () => {
    const other = await EventReceiver.start();
    await add('other', other.url);
    receiver.behave = hangs;
    expect(keks.app.get(ReceiverRules).mostMs).toBe(5_000);
    await happen('c-1');
    wake();
    await expect.poll(() => receiver.heard.length, PATIENTLY).toBe(1);
    await expect.poll(async () => (await state('other')).delivered, PATIENTLY).toBe(1);
    await happen('c-2', 'c-3');
    wake();
    await expect.poll(async () => (await state('other')).delivered, PATIENTLY).toBe(3);
    expect(receiver.heard).toHaveLength(1);
    keks.app.get(ReceiverRules).mostMs = 300;
    await expect.poll(async () => (await state()).last_error, PATIENTLY).toMatch(/^it did not answer within/);
    await other.close();
  });
});

describe('what is kept for a receiver', () => {
  const fill = (event: string, count: number) =>
    keks.database.client.query(
      `INSERT INTO undelivered_events (receiver_id, event, happened_at, txn, client_id)
       SELECT $1, $2, $3, 'txn', 'c-' || n FROM generate_series(1, $4::int) n`,
      [id, event, new Date(keks.clock.now()), count],
    );
  const oldest = async (): Promise<string | undefined> => {
    const { rows } = await keks.database.client.query<{ client_id: string }>(
      'SELECT client_id FROM undelivered_events ORDER BY seq LIMIT 1',
    );
    return rows[0]?.client_id;
  };

  beforeEach(async () => {
    await keks.database.client.query('UPDATE receivers SET paused_until = $1', [
      new Date(keks.clock.now() + 30 * 86_400_000),
    ]);
  });

  it('is 10,000 events: the oldest are given up, counted and told', async () => {
    await fill('client-disabled', 12_500);
    await keks.app.get(ReceiverUpkeep).run();
    expect(await state()).toMatchObject({ undelivered: 10_000, given_up: 2_500, lost_at: expect.any(Date) });
    expect(await oldest()).toBe('c-2501');
    expect(keks.log.join('')).toContain('events for ours were given up');
  });

  it('and 100 of what strangers cause, so that they drive nothing else out', async () => {
    await fill('client-disabled', 10);
    await fill('login-throttled', 500);
    await keks.app.get(ReceiverUpkeep).run();
    expect(await state()).toMatchObject({ undelivered: 110, given_up: 400 });
    expect(await oldest()).toBe('c-1');
  });

  it('for three days', async () => {
    await fill('client-disabled', 3);
    keks.clock.advance(3 * 86_400 - 1);
    await keks.app.get(ReceiverUpkeep).run();
    expect((await state()).undelivered).toBe(3);
    keks.clock.advance(2);
    await keks.app.get(ReceiverUpkeep).run();
    expect(await state()).toMatchObject({ undelivered: 0, given_up: 3 });
  });
});

// from here on nothing is logged: an instance without HTTP takes the log along
describe('several instances', () => {
  it('send each event once, in order, whoever is quicker', async () => {
    const second = await startInstance(
      keks.database.url,
      keks.clock,
      { RECEIVERS_PRIVATE_ADDRESSES: 'true' },
      [EventSenderModule],
    );
    const names = Array.from({ length: 60 }, (_, at) => `c-${at}`);
    for (let at = 0; at < names.length; at += 6) {
      await happen(...names.slice(at, at + 6));
      wake();
      second.get(EventSender).wake();
    }
    await undelivered(0);
    expect(events()).toEqual(names);
    await second.close();
  });

  it('leave a receiver to the one that has it, until its lease is over: then that one is gone', async () => {
    await keks.database.client.query(
      `UPDATE receivers SET lease = gen_random_uuid(), leased_until = $1 WHERE id = $2`,
      [new Date(keks.clock.now() + 30_000), id],
    );
    await happen('c-1');
    wake();
    const other = await EventReceiver.start();
    await add('other', other.url);
    await happen('c-2');
    wake();
    await expect.poll(() => other.heard.length, PATIENTLY).toBe(1);
    expect(receiver.heard).toEqual([]);
    keks.clock.advance(31);
    await undelivered(0);
    expect(events()).toEqual(['c-1', 'c-2']);
    await other.close();
  });
});

describe('whom Keks does not tell (SSRF)', () => {
  const row = (url: string) => ({
    ...{
      id: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11',
      name: 'x',
      url,
      audience: 'x',
      sealed_authorization: null,
    },
  });
  const delivery = (within: boolean): [Delivery, ReceiverRules] => {
    const rules = new ReceiverRules({ RECEIVERS_PRIVATE_ADDRESSES: within });
    return [new Delivery(rules, keks.app.get(SealedAuthorizations)), rules];
  };
  const FORBIDDEN = {
    taken: false,
    never: false,
    why: 'its address is not a public one, and RECEIVERS_PRIVATE_ADDRESSES does not allow it',
  };

  it('without the setting: anybody at an address that is not public, whatever it is called, and by plain HTTP nobody', async () => {
    const [sender, rules] = delivery(false);
    const port = new URL(receiver.url).port;
    for (const url of [receiver.url, `https://127.0.0.1:${port}/`, `https://[::1]:${port}/`])
      expect(await sender.send('event', row(url))).toEqual(FORBIDDEN);
    rules.resolve = async () => ['93.184.216.34', '10.0.0.1'];
    expect(await sender.send('event', row('https://receiver.example/'))).toEqual(FORBIDDEN);
    rules.resolve = async () => ['93.184.216.34'];
    expect(await sender.send('event', row('http://receiver.example/'))).toEqual(FORBIDDEN);
    expect(receiver.heard).toEqual([]);
  });

  it('with it: nobody where clouds tell credentials, and at public addresses by plain HTTP nobody', async () => {
    const [sender, rules] = delivery(true);
    for (const address of ['169.254.169.254', '0.0.0.0', 'fe80::1', 'fd00:ec2::254', '100.100.100.200']) {
      rules.resolve = async () => [address];
      expect(await sender.send('event', row('https://receiver.example/'))).toEqual(FORBIDDEN);
    }
    rules.resolve = async () => ['93.184.216.34'];
    expect(await sender.send('event', row('http://receiver.example/'))).toEqual(FORBIDDEN);
  });

  it('a name is looked up once, and the certificate is looked at by that name', async () => {
    const { cert, key } = await selfSigned();
    const heard: (string | undefined)[] = [];
    const server = createTlsServer({ cert, key }, (request, response) => {
      heard.push(request.headers.host);
      response.writeHead(202).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const [sender, rules] = delivery(true);
    let lookups = 0;
    rules.resolve = async () => {
      lookups += 1;
      return ['127.0.0.1'];
    };
    const untrusted = await sender.send('event', row(`https://localhost:${port}/`));
    expect(untrusted).toMatchObject({ taken: false, why: expect.stringContaining('could not be reached') });
    rules.ca = cert.toString();
    expect(await sender.send('event', row(`https://localhost:${port}/`))).toEqual({ taken: true });
    expect([heard, lookups]).toEqual([[`localhost:${port}`], 2]);
    await new Promise((resolve) => server.close(resolve));
  });
});

// for ever: nothing is sent after it
describe('an instance that stops', () => {
  it('finishes what is on its way, and leaves nothing claimed', async () => {
    let answer: () => void = () => undefined;
    receiver.behave = (response) => {
      answer = () => void response.writeHead(202).end();
    };
    await happen('c-1', 'c-2');
    wake();
    await expect.poll(() => receiver.heard.length, PATIENTLY).toBe(1);
    const stopped = keks.app.get(EventSender).beforeApplicationShutdown();
    expect(await free()).toBe(false);
    answer();
    await stopped;
    expect([await free(), await state()]).toMatchObject([true, { delivered: 1, undelivered: 1 }]);
    wake();
    expect(events()).toEqual(['c-1']);
  });
});
