import type { Operation } from './operation.js';

/**
 * What came of what, since when it may be dead, and since when it must be. A refresh token and a code stand for all that came
 * of them: the first code or refresh token is the root of everything that was made with it, however many steps later.
 */
export class Lineage {
  private readonly roots = new Map<string, string>();
  /** Of what was made from an access token: that one, which can end by itself. */
  private readonly sources = new Map<string, string>();
  private readonly begun = new Map<string, number>();
  private readonly ended = new Map<string, Operation>();

  add(token: string, from: string): void {
    if (token !== from) this.roots.set(token, this.rootOf(from));
  }

  /** One that dies with the access token that it was made from, and with what that one came of. */
  addMadeFrom(token: string, source: string): void {
    this.add(token, source);
    this.sources.set(token, source);
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
    return Math.min(...this.deathsOf(token).map((one) => this.begun.get(one) ?? Infinity));
  }

  /** An end that had been acknowledged before that time. */
  endBefore(token: string, at: number): Operation | undefined {
    return this.deathsOf(token)
      .map((one) => this.ended.get(one))
      .find((one) => one?.completed !== undefined && one.completed < at);
  }

  /** Itself, and whatever else it dies with. */
  private deathsOf(token: string): string[] {
    const all = [token, this.rootOf(token)];
    for (let one = this.sources.get(token); one !== undefined; one = this.sources.get(one)) all.push(one);
    return all;
  }

  private rootOf(token: string): string {
    return this.roots.get(token) ?? token;
  }

  private keyOf(token: string): string {
    return token.startsWith('krt_') ? this.rootOf(token) : token;
  }
}
