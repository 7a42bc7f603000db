import type { Client } from './clients.js';
import type { Ledger } from './history.js';
import type { Cast } from './setup.js';
import type { World } from './world.js';

/** What each role of a play is given; each takes of it what it needs. */
export interface Scene {
  readonly world: World;
  readonly client: Client;
  readonly ledger: Ledger;
  readonly cast: Cast;
  readonly seed: number;
  readonly isOver: () => boolean;
}
