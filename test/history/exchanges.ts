import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER } from '../support/test-app.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';
import { SHOP, SHOPPER } from './setup.js';
import { SERVERS } from './world.js';

/**
 * Somebody logs in at the shop again and again, and the shop exchanges the token for one for the factory, on both servers. Then
 * one of them ends: the login, the token that was shown to the shop, or one of those that it made.
 */
export async function exchangeTokens({ client, cast, seed, isOver }: Scene): Promise<void> {
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
    const look = (): Promise<unknown> => client.validateEverywhere(gained);
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
