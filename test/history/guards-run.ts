import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { PASSWORD, post, request, type Answer } from '../support/test-app.js';
import { FAULTS, type Guard, type House, type Verdict } from './guards.js';
import type { Random } from './random.js';

/** One user each: who ends all of theirs ends nobody else's. */
export const PEOPLE = ['Ann', 'Bea', 'Cid', 'Dot'] as const;
/** So many of the tokens that live, and of those that are dead, are looked at again. */
const KEPT = 40;
/** Too many to be ended one by one: see STEP in src/auth/grants/owner-ending.sql.ts. */
const CROWD = 600;

export interface Outcome {
  readonly accepted: number;
  readonly refused: number;
  /** Neither: there was no lease and no answer, or the guard was killed. */
  readonly nothing: number;
  /** Accepted although the end had been acknowledged before the question was sent. */
  readonly stale: number;
  /** Refused although nobody had asked for its end. */
  readonly lost: number;
  /** Ends that were acknowledged: of a token or a login, and of all of a person's. */
  readonly revokes: number;
  readonly crowds: number;
  readonly faults: number;
}

export interface Plan {
  readonly random: Random;
  readonly faults: readonly string[];
  /** Tokens in a question, and milliseconds between two questions to the same guard. */
  readonly looks: number;
  readonly pause: number;
  readonly isOver: (so: Outcome) => boolean;
}

/** People log in and end what they have, while guards are asked about all of it and things go wrong. */
export async function play(house: House, database: pg.Client, plan: Plan): Promise<Outcome> {
  const run = new Run(house, database, plan);
  const watches = house.guards.map((guard) => run.watch(guard));
  await Promise.all([...PEOPLE.map((person) => run.live(person)), ...watches, run.breakThings()]);
  return run.so;
}

interface Login {
  readonly token: string;
  readonly refresh: string | undefined;
}

class Run {
  readonly so = { accepted: 0, refused: 0, nothing: 0, stale: 0, lost: 0, revokes: 0, crowds: 0, faults: 0 };
  private readonly ending = new Set<string>();
  private readonly dead = new Set<string>();
  private recentlyDead: readonly string[] = [];
  private readonly living = new Map<string, readonly Login[]>();

  constructor(
    private readonly house: House,
    private readonly database: pg.Client,
    private readonly plan: Plan,
  ) {}

  async live(person: string): Promise<void> {
    const { random, isOver } = this.plan;
    let logins: readonly Login[] = [];
    while (!isOver(this.so)) {
      const login = await this.logIn(person);
      if (!login) {
        await sleep(50);
        continue;
      }
      logins = [...logins, login];
      this.living.set(person, logins);
      // a guard that is paused answers late, and is not waited for
      await Promise.race([this.lookEverywhere([login.token]), sleep(200)]);
      const all = random.next() < 0.05;
      const doomed = all ? logins : logins.slice(0, logins.length < KEPT && random.next() < 0.5 ? 1 : 2);
      logins = logins.filter((one) => !doomed.includes(one));
      this.living.set(person, logins);
      await this.end(person, doomed, all);
    }
  }

  /** It is asked all the time, of what lives and of what died lately. */
  async watch(guard: Guard): Promise<void> {
    const { random, looks, pause, isOver } = this.plan;
    while (!isOver(this.so)) {
      const lists = [[...this.living.values()].flat().map(({ token }) => token), this.recentlyDead];
      const tokens = Array.from({ length: looks }, () => random.pick(random.pick(lists) ?? []) ?? []).flat();
      if (tokens.length > 0) await this.look(guard, tokens);
      await sleep(pause);
    }
  }

  async breakThings(): Promise<void> {
    const { random, faults, isOver } = this.plan;
    while (!isOver(this.so) && faults.length > 0) {
      await FAULTS[random.pick(faults) ?? '']?.(this.house, (list) => random.pick(list));
      this.so.faults += 1;
      await sleep(random.between(50, 400));
    }
  }

  private async logIn(person: string): Promise<Login | undefined> {
    const scope = this.plan.random.next() < 0.3 ? { scope: 'offline_access' } : {};
    const asked = { user: person, password: PASSWORD, format: 'jwt', ...scope };
    const answer = await this.ask((url) => post(url, '/issue', asked));
    if (answer?.status !== 200) return undefined;
    const { token, refresh_token: refresh } = answer.body as { token: string; refresh_token?: string };
    return { token, refresh };
  }

  private async end(person: string, doomed: readonly Login[], all: boolean): Promise<void> {
    const tokens = doomed.map(({ token }) => token);
    const noise = this.lookEverywhere(tokens);
    for (const token of tokens) this.ending.add(token);
    const late: Promise<unknown>[] = [noise];
    if (all) {
      if (this.plan.random.next() < 0.5) await this.crowd(person);
      const [own = ''] = tokens;
      const headers = { authorization: `Bearer ${own}` };
      const answer = await this.ask((url) => request(url, '/sessions', { method: 'DELETE', headers }));
      if (answer?.status === 204) {
        this.so.crowds += 1;
        late.push(this.bury(tokens));
      }
    } else
      for (const { token, refresh } of doomed) {
        const answer = await this.ask((url) => post(url, '/revoke', { token: refresh ?? token }));
        if (answer?.status !== 200) continue;
        this.so.revokes += 1;
        late.push(this.bury([token]));
      }
    await Promise.race([Promise.all(late), sleep(200)]);
  }

  /** Nobody may accept these from now on; and what was dead before stays it. */
  private bury(tokens: readonly string[]): Promise<unknown> {
    for (const token of tokens) this.dead.add(token);
    this.recentlyDead = [...this.recentlyDead, ...tokens].slice(-10 * KEPT);
    return this.lookEverywhere([...tokens, this.plan.random.pick(this.recentlyDead) ?? []].flat());
  }

  private lookEverywhere(tokens: readonly string[]): Promise<unknown> {
    return Promise.all(this.house.guards.map((guard) => this.look(guard, tokens)));
  }

  private async look(guard: Guard, tokens: readonly string[]): Promise<void> {
    const mustBeDead = tokens.map((token) => this.dead.has(token));
    const verdicts = await guard.ask({ tokens });
    for (const [at, token] of tokens.entries()) {
      const verdict: Verdict = verdicts[at] ?? 'nothing';
      this.so[verdict === 'active' ? 'accepted' : verdict] += 1;
      if (mustBeDead[at] && verdict === 'active') this.so.stale += 1;
      // one that has been paused answers when the end has begun
      if (!this.ending.has(token) && verdict === 'refused') this.so.lost += 1;
    }
  }

  /** Of one of the servers, if it answers. */
  private async ask(send: (url: string) => Promise<Answer>): Promise<Answer | undefined> {
    const server = this.plan.random.pick(this.house.servers);
    return server && (await send(server.url).catch(() => undefined));
  }

  /** As if they had logged in very often. */
  private async crowd(person: string): Promise<void> {
    await this.database.query(
      `INSERT INTO grants (kind, user_id, scope, expires_at)
       SELECT 'login', id, scope, now() + interval '1 h' FROM users, generate_series(1, $2::int) WHERE name = $1`,
      [person, CROWD],
    );
  }
}
