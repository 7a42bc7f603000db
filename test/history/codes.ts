import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Shown } from './clients.js';
import type { Operation } from './operation.js';
import { atApi, atTokenEndpoint, newKeys } from './proofs.js';
import { Random } from './random.js';
import { Person, type Given } from './person.js';
import type { Scene } from './scene.js';
import { SERVERS } from './world.js';

/**
 * A person lets a program in again and again; its codes are shown once, twice or by several at once, on both servers, and
 * what comes of them ends in each of the ways that there are.
 */
export async function redeemCodes(reading: Scene): Promise<void> {
  const random = new Random(reading.seed);
  const keys = await newKeys();
  let person = new Person(reading, random);
  while (!reading.isOver()) {
    const given = await person.allow(random.next() < 0.5 ? keys : undefined).catch(() => undefined);
    if (given) await new Story(reading, random, person, given).play();
    else {
      // signed out, perhaps, or the database is away
      person = new Person(reading, random);
      await sleep(100);
    }
  }
}

/** From a code to the end of all that came of it. */
class Story {
  private readonly client: Client;
  private readonly tokens: string[] = [];
  private readonly refreshTokens: string[] = [];

  constructor(
    private readonly reading: Scene,
    private readonly random: Random,
    private readonly person: Person,
    private readonly given: Given,
  ) {
    this.client = reading.client;
  }

  async play(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.25) await this.redeemTogether();
    else if (dice < 0.45) await this.withdrawFirst();
    else await this.useAndEnd();
  }

  private async redeemTogether(): Promise<void> {
    await Promise.all(Array.from({ length: 4 }, () => this.redeem()));
    await this.look();
  }

  private async withdrawFirst(): Promise<void> {
    await this.person.withdraw(this.client, this.somewhere, this.given.code);
    await this.redeem();
    await this.look();
  }

  private async useAndEnd(): Promise<void> {
    if (this.given.keys) await this.redeem('other');
    await this.redeem();
    await this.refreshTogether();
    await this.refreshTogether();
    const before = this.look();
    await this.end();
    await Promise.all([before, this.look()]);
    await this.refreshTogether();
  }

  private async end(): Promise<void> {
    const [first, last] = [this.refreshTokens[0], this.refreshTokens.at(-1)];
    const dice = this.random.below(4);
    if (dice === 0) await this.redeem();
    else if (dice === 1) await this.person.withdraw(this.client, this.somewhere, this.given.code);
    else if (first === undefined || last === undefined) return;
    else if (dice === 2) await this.client.revoke(this.somewhere, last);
    else await this.client.steal(this.somewhere, first, this.reading.cast.app, await this.proof());
  }

  private async redeem(by: 'own' | 'other' = 'own'): Promise<void> {
    const { code, form } = this.given;
    this.keep(await this.client.redeemCode(this.somewhere, code, form, await this.proof(by)));
  }

  /** By several at once, one of whom may not have the key. */
  private async refreshTogether(): Promise<void> {
    const last = this.refreshTokens.at(-1);
    if (last === undefined) return;
    const refresh = async (by: 'own' | 'other'): Promise<Operation> =>
      this.client.refresh(this.somewhere, last, this.reading.cast.app, await this.proof(by));
    const whose = this.given.keys ? (['own', 'own', 'other'] as const) : (['own', 'own'] as const);
    for (const one of await Promise.all(whose.map(refresh))) this.keep(one);
    await this.look();
  }

  private keep({ made }: Operation): void {
    if (!made) return;
    this.tokens.push(made.access);
    if (made.refresh !== undefined && !this.refreshTokens.includes(made.refresh))
      this.refreshTokens.push(made.refresh);
  }

  private async look(): Promise<void> {
    const { keys } = this.given;
    const one = async (server: number, token: string): Promise<unknown> =>
      this.client.validate(server, token, keys && (await atApi(keys, token)));
    await Promise.all(this.tokens.flatMap((token) => SERVERS.map((server) => one(server, token))));
  }

  private async proof(by: 'own' | 'other' = 'own'): Promise<Shown | undefined> {
    const { keys } = this.given;
    return keys && atTokenEndpoint(keys, by);
  }

  private get somewhere(): number {
    return this.random.pick(SERVERS) ?? 0;
  }
}
