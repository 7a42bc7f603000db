import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEAD,
  GIVES_NOTHING,
  KEY_NEEDED,
  LOST,
  ONE_SUCCESSOR,
  ONE_USE,
  PROOF_ONCE,
  type Ledger,
  type Violation,
} from './history.js';
import { OLD_KEYS } from './keys.js';
import { ROWS_MOVE } from './partitions.js';
import { play, type Plan, type Recovery } from './run.js';
import { givePasswordAnew, populate, type Cast } from './setup.js';
import { World } from './world.js';
import { Machine } from '../support/machine.js';

/** `npm run torture` takes minutes. */
const MINUTES = Number(process.env.TORTURE_MINUTES ?? 0.1);
const WORKERS = Number(process.env.TORTURE_WORKERS ?? 12);
const VALIDATIONS = Number(process.env.TORTURE_VALIDATIONS ?? Infinity);
const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);

/** How long a planted mistake is looked for, which takes a second or two. */
const PATIENCE_MS = 300_000;

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

describe('the history of two servers over one database', () => {
  let world: World;
  let cast: Cast;
  let machine: Machine;

  beforeAll(async () => {
    world = await World.create();
    machine = await Machine.watch();
    cast = await populate(world);
  });

  afterAll(async () => {
    machine.stop();
    await world.destroy();
  });

  it(
    `breaks no promise, whatever breaks (seed ${SEED})`,
    async () => {
      const milliseconds = MINUTES * 60_000;
      const plan = {
        seed: SEED,
        milliseconds,
        faultEvery: 1_500,
        workers: WORKERS,
        validations: VALIDATIONS,
        atLeast: { validate: 501, code: 1, device: 1, exchange: 1 },
      };
      const began = performance.now();
      const { ledger, faults } = await play(world, cast, plan, machine);
      const seconds = (performance.now() - began) / 1_000;
      const counts = `${ledger.operations} operations, ${ledger.verdicts} verdicts, ${faults.length} faults, ${ledger.violations.length} violations`;
      say(`${counts} in ${seconds.toFixed()} s (seed ${SEED})`);
      for (const [outcome, count] of [...ledger.outcomes].sort()) say(`  ${outcome}: ${count}`);
      for (const [fault, times] of byFault(faults)) say(`  good again after ${fault}: ${times} ms`);
      expect(ledger.violations.slice(0, 3)).toEqual([]);
      expect(faults.length).toBeGreaterThan(0);
      expect(ledger.count('validate', 200)).toBeGreaterThan(500);
      for (const kind of ['code', 'device', 'exchange'] as const)
        expect(ledger.count(kind, 200)).toBeGreaterThan(0);
      // 2 s, and what the machine takes from everybody
      expect(faults.filter(({ ms, late, slow }) => ms > 2_000 * slow + 20 * late)).toEqual([]);
    },
    MINUTES * 60_000 + 180_000,
  );

  describe('is told from one with a mistake in it', { timeout: PATIENCE_MS + 90_000 }, () => {
    const mistakes = (which = ''): string => new URL(`./mistakes.mjs${which}`, import.meta.url).href;

    // the key before is missed when both have accepted the next one and the first makes with it
    it.each([
      ['key-made-too-early', 0],
      ['key-gone-too-early', 2],
    ])('%s', async (mistake, steps) => {
      await world.restart(mistakes(`?${mistake}`), steps);
      await isFound({
        rule: LOST,
        faultEvery: 300,
        only: ['a step of a new SECRET_KEY'],
        // a step takes about as long: what it has done is seen by the next play, which begins with it
        milliseconds: 2_000,
      });
    });

    describe('that is made while it runs', () => {
      beforeAll(async () => {
        await world.restart(mistakes());
        await givePasswordAnew(world);
      });

      it.each([
        ['cached-verdict', DEAD],
        ['joined-flight', DEAD],
        ['early-acknowledgement', DEAD],
        ['read-then-write', ONE_SUCCESSOR],
      ])('%s', (mistake, rule) => isFoundIn(mistake, { rule, roles: [] }));

      it.each([
        ['no-endings', DEAD, 'crowds'],
        ['unproved-key', OLD_KEYS, 'keys'],
        ['kept-keys', OLD_KEYS, 'keys'],
        ['code-read-then-used', ONE_USE, 'codes'],
        ['code-replayed-in-vain', DEAD, 'codes'],
        ['code-without-consent', GIVES_NOTHING, 'codes'],
        ['theft-in-vain', DEAD, 'codes'],
        ['device-code-read-then-used', ONE_USE, 'devices'],
        ['made-from-what-ended', DEAD, 'exchanges'],
        ['bound-as-bearer', KEY_NEEDED, 'bound'],
        ['any-key', KEY_NEEDED, 'bound'],
        ['proofs-of-a-process', PROOF_ONCE, 'bound'],
      ] as const)('%s', (mistake, rule, role) => isFoundIn(mistake, { rule, roles: [role], workers: 0 }));

      it.each([
        ['fault-as-verdict', LOST, 600, 'cut link to the database'],
        // the last: it stays in the database
        ['revoke-of-no-row', DEAD, 100, ROWS_MOVE],
      ])('%s', (mistake, rule, faultEvery, fault) =>
        isFoundIn(mistake, { rule, faultEvery, only: [fault], roles: [] }),
      );

      async function isFoundIn(
        mistake: string,
        plan: Partial<Plan> & { readonly rule: string },
      ): Promise<void> {
        await world.tell(mistake);
        // in a few operations, which is what a busy machine does in that time, there may be no refresh at all
        const atLeast = plan.workers === 0 ? {} : { validate: 500 };
        await isFound({ faultEvery: 0, milliseconds: 2_000, atLeast, ...plan });
      }
    });

    async function isFound({ rule, ...plan }: Omit<Plan, 'seed'> & { rule: string }): Promise<void> {
      const rules = new Set<string>();
      const others: Violation[] = [];
      const outcomes = new Map<string, number>();
      // a mistake that needs two things at once needs luck as well, and a busy machine has less of it in the same time
      const late = performance.now() + PATIENCE_MS;
      for (let seed = 1; performance.now() < late && !rules.has(rule); seed += 1) {
        const until = ({ violations }: Ledger): boolean => violations.some((one) => one.rule === rule);
        const { ledger } = await play(world, cast, { ...plan, seed, until });
        for (const violation of ledger.violations) rules.add(violation.rule);
        others.push(...ledger.violations.slice(0, 3));
        for (const [outcome, count] of ledger.outcomes)
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
      }
      // what came instead, for whoever has to find out why
      const instead = JSON.stringify({ others: others.slice(0, 5), outcomes: [...outcomes].sort() });
      expect([...rules], instead).toContain(rule);
    }
  });
});

/** How long it took after each kind of fault: milliseconds. */
function byFault(faults: readonly Recovery[]): [string, string][] {
  const times = new Map<string, number[]>();
  for (const { fault, ms } of faults) times.set(fault, [...(times.get(fault) ?? []), Math.round(ms)]);
  return [...times].map(([fault, all]) => [
    fault,
    `${Math.max(...all)} at most, ${median(all)} in the median of ${all.length}`,
  ]);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
