import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './clients.js';
import { PROOF_ONCE } from './history.js';
import { atApi, atTokenEndpoint, newKeys, type Keys } from './proofs.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';
import { SERVERS } from './world.js';

/**
 * A token that is bound to a key is used by its owner, by somebody without the key and by somebody with another one, on both
 * servers, until it is revoked; and each proof may have been overheard.
 */
export async function useBoundTokens(binding: Scene): Promise<void> {
  const { client, isOver } = binding;
  const random = new Random(binding.seed);
  const somewhere = (): number => random.pick(SERVERS) ?? 0;
  const keys = await newKeys();
  while (!isOver()) {
    const { made } = await client.issue(somewhere(), await atTokenEndpoint(keys));
    if (!made) {
      await sleep(50);
      continue;
    }
    await useByAll(client, keys, made.access);
    await overhear(binding, keys, made.access);
    const before = useByAll(client, keys, made.access);
    await client.revoke(somewhere(), made.access);
    await Promise.all([before, useByAll(client, keys, made.access)]);
  }
}

async function useByAll(client: Client, keys: Keys, token: string): Promise<void> {
  await Promise.all(
    SERVERS.flatMap((server) => [
      atApi(keys, token).then((shown) => client.validate(server, token, shown)),
      atApi(keys, token, 'other').then((shown) => client.validate(server, token, shown)),
      client.validate(server, token, { proof: 'none' }),
    ]),
  );
}

/** The same proof comes to both servers, twice. */
async function overhear({ world, client, ledger }: Scene, keys: Keys, token: string): Promise<void> {
  const { dpop = '' } = await atApi(keys, token);
  const { crashes } = world;
  const answers = await Promise.all(
    [...SERVERS, ...SERVERS].map((server) => client.validate(server, token, { proof: 'overheard', dpop })),
  );
  const [first, second] = answers.filter(({ status }) => status === 200);
  // used proofs do not outlive a crash of PostgreSQL (decision 0058)
  if (first && second && world.crashes === crashes) ledger.accuse(PROOF_ONCE, second, first);
}
