import type { Client } from './clients.js';
import type { Ledger } from './history.js';
import type { Operation } from './operation.js';
import { Random } from './random.js';
import { SERVERS } from './world.js';

/** Who makes keys and changes the password: nobody else logs in as this one. */
export const KEEPER = { name: 'Keeper', password: 'nine grey kettles hum under the stairs 0' };

export const OLD_KEYS = 'a key made with an old password is dead once the new one is there';

const PAUSE = 20;
/** So many at a time: of a few one is being written while the password changes. */
const KEYS = 10;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const password = (round: number): string => KEEPER.password.replace(/\d+$/, String(round));

interface Keeping {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly isOver: () => boolean;
}

/** Passwords as this process has set them: a world outlives a play. */
const set = { round: 0 };

/** An operator has set {@link KEEPER}'s first password again. */
export function forgetRounds(): void {
  set.round = 0;
}

/**
 * Keys are being made on both servers while the password changes. Whichever of them are answered, and whenever: when the
 * change has been answered, none of them counts any more.
 */
export async function keepKeys({ client, ledger, seed, isOver }: Keeping): Promise<void> {
  const random = new Random(seed);
  while (!isOver()) {
    const login = await loggedIn(client, random);
    if (login !== undefined) await changeAmongKeys(client, ledger, random, login);
    await sleep(PAUSE);
  }
}

/** After an answer that was lost either password may be the right one. */
async function loggedIn(client: Client, random: Random): Promise<string | undefined> {
  for (const round of [set.round, set.round + 1]) {
    const { made, status } = await client.logInAs(random.pick(SERVERS) ?? 0, KEEPER.name, password(round));
    if (status === 200) set.round = round;
    if (made) return made.access;
  }
  return undefined;
}

async function changeAmongKeys(client: Client, ledger: Ledger, random: Random, login: string): Promise<void> {
  const [old, wanted] = [password(set.round), password(set.round + 1)];
  const keys: Operation[] = [];
  let change: Operation | undefined;
  let begun = Infinity;
  const make = async (): Promise<void> => {
    await sleep(random.below(30));
    const operation = await client.makeKey(random.pick(SERVERS) ?? 0, login, old);
    if (!operation.made) return;
    // from now on it may be dead, and that is no loss
    ledger.begin(operation.made.access, begun);
    keys.push(operation);
  };
  const changing = async (): Promise<void> => {
    await sleep(random.below(15));
    begun = performance.now();
    for (const { made } of keys) if (made) ledger.begin(made.access, begun);
    change = await client.changePassword(random.pick(SERVERS) ?? 0, login, old, wanted);
  };
  await Promise.all([...Array.from({ length: KEYS }, make), changing()]);
  if (change?.status !== 204) return;
  set.round += 1;
  for (const { made } of keys)
    for (const server of SERVERS) {
      const verdict = await client.validate(server, made?.access ?? '');
      if (verdict.status === 200)
        ledger.violations.push({ rule: OLD_KEYS, operation: verdict, because: change });
    }
}
