import { Unavailable } from '../../http/errors/unavailable.js';

/**
 * Runs the work of each owner one after another, before it takes a connection: an owner who asks for many keys at once holds
 * up nobody else.
 */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** @param longestMs how long a call waits: as long as a request waits for a connection */
  constructor(private readonly longestMs: number) {}

  /** @throws Unavailable when its turn does not come soon */
  async take<T>(owner: string, work: () => Promise<T>): Promise<T> {
    const came = performance.now();
    const mine = (this.last.get(owner) ?? Promise.resolve()).then(() => {
      if (performance.now() - came > this.longestMs) throw new Unavailable('too many are asked for at once');
      return work();
    });
    const over = mine.catch(() => undefined);
    this.last.set(owner, over);
    try {
      return await mine;
    } finally {
      if (this.last.get(owner) === over) this.last.delete(owner);
    }
  }
}
