import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER } from '../support/test-app.js';
import type { Client } from './clients.js';
import { Random } from './random.js';
import { SHOP, SHOPPER, type Cast } from './setup.js';
import { SERVERS } from './world.js';

interface Shopping {
  readonly client: Client;
  readonly cast: Cast;
  readonly seed: number;
  readonly isOver: () => boolean;
}

/**
 * Somebody logs in at the shop again and again, and the shop exchanges the token for one for the factory, on both servers. Then
 * one of them ends: the login, the token that was shown to the shop, or one of those that it made.
 */
export async function exchangeTokens({ client, cast, seed, isOver }: Shopping): Promise<void> {
  const random = new Random(seed);
  const somewhere = (): number => random.pick(SERVERS) ?? 0;
  while (!isOver()) {
    const { made: login } = await client.loginAt(somewhere(), SHOPPER.name, SHOPPER.password, SHOP);
    if (!login) {
      await sleep(50);
      continue;
    }
    const gained: string[] = [];
    const exchange = async (): Promise<void> => {
      const { made } = await client.exchange(somewhere(), login.access, cast.shop, ISSUER);
      if (made) gained.push(made.access);
    };
    const look = (): Promise<unknown> =>
      Promise.all(gained.flatMap((token) => SERVERS.map((server) => client.validate(server, token))));
    await Promise.all([exchange(), exchange()]);
    await look();
    const doomed = random.pick([login.refresh, login.access, gained[0]]);
    if (doomed === undefined) continue;
    const before = [look(), exchange()];
    await client.revoke(somewhere(), doomed);
    await Promise.all([...before, look()]);
    await exchange();
    await look();
  }
}
