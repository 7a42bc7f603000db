import type { Operation } from './operation.js';

/**
 * What came of what, since when it may be dead, and since when it must be. A refresh token and a code stand for all that came
 * of them: the first code or refresh token is the root of everything that was made with it, however many steps later.
 */
export class Lineage {
  private readonly roots = new Map<string, string>();
  private readonly begun = new Map<string, number>();
  private readonly ended = new Map<string, Operation>();

  add(token: string, from: string): void {
    if (token !== from) this.roots.set(token, this.rootOf(from));
  }

  /** From now on it may be dead. */
  begin(token: string, at: number): void {
    const key = this.keyOf(token);
    if (at < (this.begun.get(key) ?? Infinity)) this.begun.set(key, at);
  }

  /** Its end has been acknowledged. */
  end(token: string, by: Operation): void {
    const key = this.keyOf(token);
    const known = this.ended.get(key);
    if (!known || (by.completed ?? 0) < (known.completed ?? 0)) this.ended.set(key, by);
  }

  begunAt(token: string): number {
    const [own = Infinity, root = Infinity] = [this.begun.get(token), this.begun.get(this.rootOf(token))];
    return Math.min(own, root);
  }

  /** An end that had been acknowledged before that time. */
  endBefore(token: string, at: number): Operation | undefined {
    return [this.ended.get(token), this.ended.get(this.rootOf(token))].find(
      (one) => one?.completed !== undefined && one.completed < at,
    );
  }

  private rootOf(token: string): string {
    return this.roots.get(token) ?? token;
  }

  private keyOf(token: string): string {
    return token.startsWith('krt_') ? this.rootOf(token) : token;
  }
}
