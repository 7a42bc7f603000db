import { useBoundTokens } from './bound.js';
import { Client } from './clients.js';
import { redeemCodes } from './codes.js';
import { endCrowds } from './crowds.js';
import { redeemDeviceCodes } from './devices.js';
import { exchangeTokens } from './exchanges.js';
import { FAULTS, type Fault } from './faults.js';
import { Ledger } from './history.js';
import { slowness, type Machine } from '../support/machine.js';
import { keepKeys } from './keys.js';
import type { Kind } from './operation.js';
import { Random } from './random.js';
import type { Cast } from './setup.js';
import { SERVERS, USER, type World } from './world.js';

export interface Plan {
  readonly seed: number;
  readonly milliseconds: number;
  /** Pause between faults: milliseconds. 0 means that nothing goes wrong. */
  readonly faultEvery: number;
  /** What can go wrong; what is in ./faults.ts if absent. */
  readonly faults?: Readonly<Record<string, Fault>>;
  /** Which of it; all if absent. */
  readonly only?: readonly string[];
  /** How many at once do what everybody does; 12 if absent. */
  readonly workers?: number;
  /** Who does something of their own beside them; everybody if absent. */
  readonly roles?: readonly Role[];
  /** The end before the time is over: so many verdicts have been given. */
  readonly validations?: number;
  /** It goes on beyond its time until so many were answered with 200: a busy machine gives fewer in the same time. */
  readonly atLeast?: Partial<Record<Kind, number>>;
  /** The end before the time is over: what was looked for has been seen. */
  readonly until?: (ledger: Ledger) => boolean;
}

export interface Outcome {
  readonly ledger: Ledger;
  /** What went wrong, in order, and how long it took after its end until both servers took a living token. */
  readonly faults: readonly Recovery[];
}

export interface Recovery {
  readonly fault: string;
  readonly ms: number;
  /** How late a process that does nothing got its turn meanwhile: milliseconds. */
  readonly late: number;
  /** How many times longer the same work took just then than on an idle machine. */
  readonly slow: number;
}

interface Pool {
  readonly tokens: string[];
  readonly revoked: string[];
  refresh: string[];
}

const ROLES = {
  keys: keepKeys,
  crowds: endCrowds,
  codes: redeemCodes,
  devices: redeemDeviceCodes,
  bound: useBoundTokens,
  exchanges: exchangeTokens,
} as const;
export type Role = keyof typeof ROLES;

const LATE_MS = 120_000;
const WORKERS = 12;
const KEEP = 400;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Workers issue, validate, refresh and revoke while things go wrong, and everything is written down. */
export async function play(world: World, cast: Cast, plan: Plan, machine?: Machine): Promise<Outcome> {
  const ledger = new Ledger();
  const client = new Client(world.urls, ledger, cast.system);
  const pool: Pool = { tokens: [], revoked: [], refresh: [] };
  const end = performance.now() + plan.milliseconds;
  const isOver = (): boolean =>
    (performance.now() > end && hasSeen(ledger, plan.atLeast)) ||
    performance.now() > end + LATE_MS ||
    ledger.verdicts >= (plan.validations ?? Infinity) ||
    plan.until?.(ledger) === true;
  // who wants a million validations asks for several at a time, as browsers and services do
  const looks = plan.validations === undefined || plan.validations === Infinity ? 1 : 8;
  const workers = Array.from({ length: plan.workers ?? WORKERS }, (_, at) =>
    work({ client, pool, random: new Random(plan.seed * 1_000 + at), isOver, looks }),
  );
  const all = { world, client, ledger, cast, seed: plan.seed, isOver };
  for (const role of plan.roles ?? (Object.keys(ROLES) as Role[])) workers.push(ROLES[role](all));
  const faults =
    plan.faultEvery === 0 ? [] : await breakThings({ world, client, ledger, plan, machine, isOver });
  await Promise.all(workers);
  if (plan.until?.(ledger) !== true) await audit(client, pool);
  client.close();
  return { ledger, faults };
}

function hasSeen(ledger: Ledger, atLeast: Plan['atLeast'] = {}): boolean {
  return Object.entries(atLeast).every(([kind, least]) => ledger.count(kind as Kind, 200) >= least);
}

interface Work {
  readonly client: Client;
  readonly pool: Pool;
  readonly random: Random;
  readonly isOver: () => boolean;
  /** Validations at a time. */
  readonly looks: number;
}

async function work({ client, pool, random, isOver, looks }: Work): Promise<void> {
  while (!isOver()) {
    const dice = random.next();
    const server = random.pick(SERVERS) ?? 0;
    if (pool.tokens.length < 20 || dice < 0.12) await issue(client, pool, server);
    else if (dice < 0.2) await revokeAndLook(client, pool, random);
    else if (dice < 0.21) await login(client, pool, server);
    else if (dice < 0.27) await refreshTogether(client, pool, random);
    else await Promise.all(Array.from({ length: looks }, () => look(client, pool, random, server)));
  }
}

async function issue(client: Client, pool: Pool, server: number): Promise<void> {
  const { made, status } = await client.issue(server);
  if (made) pool.tokens.push(made.access);
  if (pool.tokens.length > KEEP) pool.tokens.shift();
  if (status !== 200) await sleep(10);
}

async function login(client: Client, pool: Pool, server: number): Promise<void> {
  const { made } = await client.login(server, USER.name, USER.password);
  if (made?.refresh) pool.refresh.push(made.refresh);
}

/** Mostly what lives, and now and then what must be dead. */
async function look(client: Client, pool: Pool, random: Random, server: number): Promise<void> {
  const token = random.pick(random.next() < 0.6 ? pool.tokens : pool.revoked) ?? random.pick(pool.tokens);
  if (token === undefined) return;
  const { status } = await client.validate(server, token);
  if (status === undefined || status === 503) await sleep(status === 503 ? 5 : 50);
}

/** Reads are in flight on both servers while the token dies, and new ones begin the moment that it is dead. */
async function revokeAndLook(client: Client, pool: Pool, random: Random): Promise<void> {
  const token = pool.tokens.splice(random.below(pool.tokens.length), 1)[0];
  if (token === undefined) return;
  const before = SERVERS.flatMap((server) => [
    client.validate(server, token),
    client.validate(server, token),
  ]);
  const { status } = await client.revoke(random.pick(SERVERS) ?? 0, token);
  await Promise.all([...before, ...SERVERS.map((server) => client.validate(server, token))]);
  if (status === 200) pool.revoked.push(token);
  if (pool.revoked.length > KEEP) pool.revoked.shift();
}

/** Several hold the same refresh token, and go on from whatever they were given. */
async function refreshTogether(client: Client, pool: Pool, random: Random): Promise<void> {
  const token = pool.refresh.splice(random.below(pool.refresh.length), 1)[0];
  if (token === undefined) return;
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => client.refresh(random.pick(SERVERS) ?? 0, token)),
  );
  const successor = answers.find(({ made }) => made?.refresh !== undefined)?.made?.refresh;
  if (successor !== undefined) pool.refresh.push(successor);
  else if (answers.some(({ status }) => status === undefined || status === 503)) pool.refresh.push(token);
}

interface Breaking {
  readonly world: World;
  readonly client: Client;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly machine: Machine | undefined;
  readonly isOver: () => boolean;
}

async function breakThings({ world, client, ledger, plan, machine, isOver }: Breaking): Promise<Recovery[]> {
  const random = new Random(plan.seed);
  const faults = plan.faults ?? FAULTS;
  const names = plan.only ?? Object.keys(faults);
  const done: Recovery[] = [];
  while (!isOver()) {
    await sleep(random.between(plan.faultEvery / 2, plan.faultEvery));
    // nobody but us has this token, so nobody revokes it
    const { made } = await client.issue(random.pick(SERVERS) ?? 0);
    const fault = random.pick(names) ?? '';
    await faults[fault]?.(world, random);
    await machine?.lateness();
    // a promise that is broken already may never be kept again
    const ms = made ? await recovery(client, made.access, () => ledger.violations.length > 0) : undefined;
    const late = (await machine?.lateness()) ?? 0;
    if (ms !== undefined) done.push({ fault, ms, late, slow: machine ? await slowness() : 1 });
  }
  await Promise.all(SERVERS.map((server) => world.untilReady(server)));
  return done;
}

/** Until both servers take a living token: milliseconds. */
async function recovery(client: Client, token: string, isHopeless: () => boolean): Promise<number> {
  const began = performance.now();
  for (const server of SERVERS)
    while ((await client.validate(server, token)).status !== 200 && !isHopeless()) {
      if (performance.now() - began > 120_000) throw new Error('it does not recover');
      await sleep(10);
    }
  return performance.now() - began;
}

/** When all is well again: what lived lives, what died is dead, on both servers. */
async function audit(client: Client, pool: Pool): Promise<void> {
  for (const token of [...pool.tokens, ...pool.revoked])
    await Promise.all(SERVERS.map((server) => client.validate(server, token)));
}
