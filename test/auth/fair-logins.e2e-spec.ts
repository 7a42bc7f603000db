import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FairTurns } from '../../src/auth/users/fair-turns.js';
import { LoginLane, loginsAtOnce } from '../../src/auth/users/login-lane.js';
import { PASSWORD, PATIENTLY, post, startTestApp, type TestApp } from '../support/test-app.js';

const PLACES = loginsAtOnce(1) * 64;

describe('FairTurns', () => {
  const drain = (turns: FairTurns<string>): string[] => {
    const order: string[] = [];
    for (let next = turns.next(); next !== undefined; next = turns.next()) order.push(next);
    return order;
  };

  it('gives turns to all in turn, and in the order of coming to each', () => {
    const turns = new FairTurns<string>(100);
    for (const n of [1, 2, 3]) turns.add({ of: ['flood'] }, `flood ${n}`);
    turns.add({ of: ['ann'] }, 'ann 1');
    turns.add({ of: ['bea'] }, 'bea 1');
    turns.add({ of: ['ann'] }, 'ann 2');
    expect(drain(turns)).toEqual(['flood 1', 'ann 1', 'bea 1', 'flood 2', 'ann 2', 'flood 3']);
  });

  it('remembers who has had turns: a newcomer is before all of them', () => {
    const turns = new FairTurns<string>(100);
    for (let n = 0; n < 36; n += 1) turns.add({ of: [`network ${n}`] }, 'before');
    expect(drain(turns)).toHaveLength(36);
    for (let n = 0; n < 36; n += 1) turns.add({ of: [`network ${n}`] }, 'flood');
    turns.add({ of: ['account ann', 'network new'] }, 'ann');
    expect(turns.next()).toBe('ann');
  });

  it('takes the worse of an account and a network', () => {
    const turns = new FairTurns<string>(100);
    for (let n = 0; n < 5; n += 1) turns.add({ of: [`account ${n}`, 'network 1'] }, `network 1, ${n}`);
    for (let n = 0; n < 5; n += 1) turns.add({ of: ['account x', `network x${n}`] }, `account x, ${n}`);
    turns.add({ of: ['account ann', 'network 2'] }, 'ann');
    expect(drain(turns).indexOf('ann')).toBe(2);
  });

  it('drops the last of whoever waits most when it is full, and refuses only who has had as many', () => {
    const turns = new FairTurns<string>(4);
    for (const n of [1, 2, 3]) expect(turns.add({ of: ['flood'] }, `flood ${n}`)).toBeUndefined();
    expect(turns.add({ of: ['ann'] }, 'ann')).toBeUndefined();
    expect(turns.add({ of: ['flood'] }, 'flood 4')).toBe('flood 4');
    expect(turns.add({ of: ['bea'] }, 'bea')).toBe('flood 3');
    expect(turns.add({ of: ['cem'] }, 'cem')).toBe('flood 2');
    expect(turns.add({ of: ['dan'] }, 'dan')).toBe('dan');
    expect(drain(turns)).toEqual(['flood 1', 'ann', 'bea', 'cem']);
  });

  it('takes those who are new behind those who are known, and before all who have had more than one turn', () => {
    const turns = new FairTurns<string>(10);
    for (const who of ['x', 'x']) turns.add({ of: [who] }, who);
    expect(drain(turns)).toEqual(['x', 'x']);
    turns.add({ of: ['x'] }, 'has had two');
    turns.add({ of: ['new'], isNew: true }, 'new');
    turns.add({ of: ['known'] }, 'known');
    expect(drain(turns)).toEqual(['known', 'new', 'has had two']);
  });

  it('remembers a bounded number, and forgets what is long ago', () => {
    const turns = new FairTurns<string>(10);
    for (let n = 0; n < 5_000; n += 1) {
      turns.add({ of: [`account ${n}`, `network ${n}`] }, 'x');
      turns.next();
    }
    expect(turns.remembered).toBeLessThanOrEqual(2 * 2 * 256);
    turns.add({ of: ['account 4999'] }, 'had one');
    turns.add({ of: ['account 0'] }, 'long ago');
    expect(turns.next()).toBe('long ago');
  });
});

/**
 * `npm run bench -- login-flood` without its clock: 75 connections that log in without a pause, and somebody else each few turns.
 * Half of those have logged in before. One turn is one password.
 */
describe('the lane of logins under a flood that does not end', () => {
  const CONNECTIONS = 75;
  const TURNS = 3_000;

  type Who = Pick<Login, 'user' | 'from'>;
  interface Login {
    readonly user: string;
    readonly from: string;
    readonly came: number;
    /** Undefined of the flood. */
    readonly other?: 'known' | 'new';
  }

  const FLOODS: readonly (readonly [string, (connection: number) => Who])[] = [
    ['one account', () => ({ user: 'flood', from: 'network 1' })],
    ['one account, 36 networks', (n) => ({ user: 'flood', from: `network ${n % 36}` })],
    ['accounts and networks, 36 each', (n) => ({ user: `flood ${n % 36}`, from: `network ${n % 36}` })],
    [
      '75 names, 36 networks, none of them right',
      (n) => ({ user: `nobody ${n}`, from: `network ${n % 36}` }),
    ],
  ];

  /** @returns how long each of the others waited, and how many of them were refused */
  function run(flood: (connection: number) => Who, every: number, isRight = true) {
    const lane = new FairTurns<Login>(64);
    const known = new Set<string>();
    const waited: { readonly turns: number; readonly who: Login }[] = [];
    let refused = 0;
    let again: Who[] = Array.from({ length: CONNECTIONS }, (_, n) => flood(n));
    const come = (login: Login): void => {
      const familiar = login.other === 'known' || known.has(`${login.user} ${login.from}`);
      const dropped = lane.add(
        familiar
          ? { of: [`known ${login.user}`] }
          : { of: [`account ${login.user}`, `network ${login.from}`], isNew: true },
        login,
      );
      if (dropped && !dropped.other) again.push(dropped);
      else if (dropped) refused += 1;
    };
    for (let turn = 0; turn < TURNS; turn += 1) {
      const coming = again;
      again = [];
      for (const { user, from } of coming) come({ user, from, came: turn });
      if (turn % every === 0) {
        const n = (turn / every) % 40;
        const other = n % 2 === 0 ? 'known' : 'new';
        come({ user: `other ${n}`, from: `other network ${n}`, came: turn, other });
      }
      const served = lane.next();
      if (!served) continue;
      if (served.other) waited.push({ turns: turn - served.came, who: served });
      else again.push(served);
      if (!served.other && !isRight) continue;
      const place = `${served.user} ${served.from}`;
      if (served.other !== 'known' && !known.has(place)) lane.wasOf([`known ${served.user}`]);
      known.add(place);
    }
    return { waited, refused };
  }

  it.each(FLOODS)('of %s: nobody else is refused, and who is known waits for nobody', (name, flood) => {
    const { waited, refused } = run(flood, 3, !name.includes('none of them right'));
    expect(refused).toBe(0);
    expect(waited.length).toBeGreaterThanOrEqual(TURNS / 3 - 2);
    const longest = (these: typeof waited): number => Math.max(...these.map(({ turns }) => turns));
    expect(longest(waited.filter(({ who }) => who.other === 'known'))).toBeLessThanOrEqual(1);
    // a flood's first two turns each are as good as those of anybody who is new: nobody can know yet that it is one
    expect(longest(waited)).toBeLessThanOrEqual(2 * 36 + 3);
    expect(longest(waited.filter(({ who }) => who.came > 3 * 36 + 3))).toBeLessThanOrEqual(2);
  });

  it('beyond what the lane can do, each account has its share: 36 that flood no more than 36 of 76', () => {
    const { waited } = run(FLOODS[2]![1], 1);
    expect(waited.length / TURNS).toBeGreaterThan(0.95 * (40 / 76));
  });
});

describe('POST /issue under a flood', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp({ TRUST_PROXY: '127.0.0.1' });
    await keks.addUser('Flood');
    for (const name of ['Ann', 'Bea', 'Cem', 'Dan', 'Eve', 'Fay']) await keks.addUser(name);
  });

  afterAll(() => keks.close());

  interface Login {
    readonly user: string;
    readonly password?: string;
    readonly from: string;
  }

  interface Seen {
    readonly flood: readonly number[];
    readonly others: readonly number[];
    /** How many of the flood had their turn before the last of the others. */
    readonly floodBefore: number;
  }

  /** A flood waits for its turns before the others come. */
  async function seen(flood: readonly Login[], others: readonly Login[]): Promise<Seen> {
    const lane = keks.app.get(LoginLane);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const held = Array.from({ length: loginsAtOnce(1) }, () => lane.run({ of: [] }, () => gate));
    // turns are counted where they are given: how long an answer is on its way is the machine's affair
    const turns: ('flood' | 'other')[] = [];
    let coming: 'flood' | 'other' = 'flood';
    const run = lane.run.bind(lane);
    const listens = vi.spyOn(lane, 'run').mockImplementation((share, work) => {
      const who = coming;
      return run(share, () => {
        turns.push(who);
        return work();
      });
    });
    let answered = 0;
    const send = async ({ user, password = PASSWORD, from }: Login): Promise<number> => {
      const { status } = await post(keks.url, '/issue', { user, password }, { 'x-forwarded-for': from });
      answered += 1;
      return status;
    };
    const floods = flood.map(send);
    await expect.poll(() => lane.waiting + answered, PATIENTLY).toBe(flood.length);
    const waiting = lane.waiting;
    coming = 'other';
    const rest = others.map(send);
    const all = (): boolean =>
      lane.waiting + answered === floods.length + rest.length && lane.waiting >= waiting;
    await expect.poll(all, PATIENTLY).toBe(true);
    open();
    await Promise.all(held);
    const [ofFlood, ofOthers] = await Promise.all([Promise.all(floods), Promise.all(rest)]);
    listens.mockRestore();
    const before = turns.slice(0, turns.lastIndexOf('other')).filter((who) => who === 'flood');
    return { flood: ofFlood, others: ofOthers, floodBefore: before.length };
  }

  const others: readonly Login[] = [
    { user: 'Ann', from: '192.0.2.1' },
    { user: 'Bea', from: '192.0.2.2' },
    { user: 'Cem', from: '192.0.2.3' },
  ];

  it('of one account with its right password, over 75 connections: nobody else is refused, or waits for more than its share', async () => {
    const flood = Array.from({ length: 75 }, () => ({ user: 'Flood', from: '10.0.0.1' }));
    const answers = await seen(flood, others);
    expect(answers.others).toEqual([200, 200, 200]);
    expect(answers.floodBefore).toBeLessThanOrEqual(3);
    expect(answers.flood.filter((status) => status === 200).length).toBeGreaterThanOrEqual(PLACES - 3);
  });

  it('of one account from 36 networks', async () => {
    const flood = Array.from({ length: 72 }, (_, n) => ({ user: 'Flood', from: `10.0.1.${n % 36}` }));
    const answers = await seen(flood, others);
    expect(answers.others).toEqual([200, 200, 200]);
    expect(answers.floodBefore).toBeLessThanOrEqual(3);
  });

  it('of 36 networks with names that nobody has: also who comes from a new address is next', async () => {
    const flood = Array.from({ length: 72 }, (_, n) => ({ user: `nobody ${n}`, from: `10.0.2.${n % 36}` }));
    await seen(flood, []);
    const newcomers = ['Dan', 'Eve', 'Fay'].map((user, n) => ({ user, from: `198.51.100.${n}` }));
    const answers = await seen(flood, newcomers);
    expect(answers.others).toEqual([200, 200, 200]);
    expect(answers.floodBefore).toBeLessThanOrEqual(3);
  });

  it('of wrong passwords for somebody’s name: where that somebody has logged in before, it costs no turn', async () => {
    const flood = Array.from({ length: 72 }, (_, n) => ({
      user: 'Ann',
      password: 'wrong',
      from: `10.0.3.${n % 36}`,
    }));
    const answers = await seen(flood, [{ user: 'Ann', from: '192.0.2.1' }]);
    expect(answers.others).toEqual([200]);
    expect(answers.floodBefore).toBeLessThanOrEqual(1);
  });
});

describe('a rate of right logins', () => {
  it('429 with Retry-After for whoever logs in for each request, and for nobody else', async () => {
    const keks = await startTestApp({ LOGINS_PER_ACCOUNT: '3' });
    for (const name of ['Often', 'Seldom']) await keks.addUser(name);
    const logIn = (user: string) => post(keks.url, '/issue', { user, password: PASSWORD });
    for (let n = 0; n < 3; n += 1) expect((await logIn('Often')).status).toBe(200);
    const refused = await logIn('Often');
    expect([refused.status, refused.body]).toMatchObject([429, { error: 'too_many_requests' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await logIn('Seldom')).status).toBe(200);
    keks.clock.advance(15 * 60 + 1);
    expect((await logIn('Often')).status).toBe(200);
    await keks.close();
  });
});
