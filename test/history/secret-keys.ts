import { createHash } from 'node:crypto';
import { SECRET_KEY } from '../support/test-app.js';

/** The first one, under which the client and the user of the history were made, is accepted to the end. */
const KEYS = [SECRET_KEY, ...[1, 2, 3].map((n) => createHash('sha256').update(String(n)).digest('hex'))];

interface Held {
  making: string;
  readonly accepted: Set<string>;
}

/**
 * How each server's keys change, a step at a time and a server at a time, in the order of docs/operating.md: a key is accepted
 * by all, and then made with by all. When all are accepted, they take turns. None goes: tokens live longer than a history.
 */
export class KeyRotation {
  private readonly held: Held[];
  private step = 0;

  constructor(private readonly servers: number) {
    this.held = Array.from({ length: servers }, () => ({
      making: SECRET_KEY,
      accepted: new Set([SECRET_KEY]),
    }));
  }

  /** What a server is started with. */
  settings(server: number): Record<string, string> {
    const { making, accepted } = this.at(server);
    const others = [...accepted].filter((key) => key !== making);
    return { SECRET_KEY: making, ...(others.length > 0 ? { SECRET_KEY_PREVIOUS: others.join(',') } : {}) };
  }

  /** @returns the server that has to be started anew */
  next(): number {
    const server = this.step % this.servers;
    const turn = Math.floor(this.step / this.servers);
    const key = KEYS[(1 + Math.floor(turn / 2)) % KEYS.length] ?? SECRET_KEY;
    const held = this.at(server);
    if (turn % 2 === 0) held.accepted.add(key);
    else held.making = key;
    this.step += 1;
    return server;
  }

  private at(server: number): Held {
    const held = this.held[server];
    if (!held) throw new Error(`there is no server ${server}`);
    return held;
  }
}
