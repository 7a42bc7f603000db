import type { OpenAPIObject } from '@nestjs/swagger';
import type { Logger } from 'pino';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Orders, PrimaryDuties } from './duties.js';
import { Member } from './member.js';
import { StartRefusal } from '../../config/start-refusal.js';

export interface WorkerPoolOptions {
  readonly size: number;
  /** Resolves once the embedded database runs. Workers load their program meanwhile. */
  readonly orders: Promise<Omit<Orders, 'seeds'> | undefined>;
  readonly metrics: () => Promise<string>;
  readonly logger: Logger;
  readonly onEnd: (member: Member) => void;
}

/** A worker that ran for less than this has been of no use: milliseconds. */
const SHORT_LIFE_MS = 10_000;
const SHORT_LIVES_MOST = 5;
const PAUSE_FIRST_MS = 100;
const PAUSE_MOST_MS = 5_000;
const KEEP_ENDING = 'The workers keep ending before they are of use: what they said is above.';

/** Keeps `size` workers running: when a worker ends, its place is filled again, with growing pauses. */
export class WorkerPool {
  readonly members = new Set<Member>();
  /** Resolves with the port once every place has been filled for the first time. */
  readonly complete: Promise<number>;
  /** Resolves with the reason when going on is useless. */
  readonly failed: Promise<Error>;
  private readonly filled = new Set<number>();
  private readonly ending = new AbortController();
  private giveUp: (reason: Error) => void = () => undefined;
  private completed: (port: number) => void = () => undefined;

  constructor(private readonly options: WorkerPoolOptions) {
    this.complete = new Promise((resolve) => (this.completed = resolve));
    this.failed = new Promise((resolve) => (this.giveUp = resolve));
    for (let place = 0; place < options.size; place += 1) void this.keep(place);
  }

  /** The OpenAPI document, which is the same in all workers. @throws AggregateError if no worker answers */
  async document(): Promise<OpenAPIObject> {
    const answers = [...this.members].map(({ rpc }) => rpc.ask('document', null));
    return Promise.any(answers);
  }

  renewCertificate(): void {
    for (const { rpc } of this.members) void rpc.ask('renewCertificate', null).catch(() => undefined);
  }

  /** Lets all workers finish, and kills those that do not finish within `limitMs`. */
  async stop(delayMs: number, limitMs: number): Promise<void> {
    this.ending.abort();
    for (const { rpc } of this.members) void rpc.ask('stop', delayMs).catch(() => undefined);
    const limit = setTimeout(() => {
      for (const member of this.members) member.kill();
    }, limitMs);
    await Promise.all([...this.members].map(({ gone }) => gone));
    clearTimeout(limit);
  }

  private async keep(place: number): Promise<void> {
    for (let shortLives = 0; !this.ending.signal.aborted;) {
      const began = performance.now();
      const how = await this.live(place);
      if (this.ending.signal.aborted) return;
      shortLives = performance.now() - began < SHORT_LIFE_MS ? shortLives + 1 : 0;
      if (shortLives >= SHORT_LIVES_MOST && !this.isOfUse()) return this.fail(KEEP_ENDING);
      this.options.logger.error({ end: how }, 'a worker has ended, another one takes its place');
      await this.pause(shortLives);
    }
  }

  /** @returns the exit code or the signal, or the text of a refused start */
  private async live(place: number): Promise<number | string> {
    const member = new Member(this.duties());
    this.members.add(member);
    const refused = await this.start(member, place);
    if (refused !== undefined) member.kill();
    const how = await member.gone;
    this.members.delete(member);
    this.options.onEnd(member);
    return refused ?? how;
  }

  /** @returns the text of a refused start; before the pool is complete, such a refusal fails the whole pool */
  private async start(member: Member, place: number): Promise<string | undefined> {
    try {
      const orders = await this.options.orders;
      await Promise.race([member.present, member.gone]);
      const port = await member.rpc.ask('start', { ...orders, seeds: place === 0 });
      member.serving = true;
      this.filled.add(place);
      if (this.isComplete()) this.completed(port);
      return undefined;
    } catch (error) {
      if (member.ended || !(error instanceof Error)) return undefined;
      if (!this.isComplete()) this.fail(error.message);
      return error.message;
    }
  }

  private isComplete(): boolean {
    return this.filled.size === this.options.size;
  }

  private isOfUse(): boolean {
    return this.isComplete() && [...this.members].some(({ serving }) => serving);
  }

  private fail(reason: string): void {
    this.ending.abort();
    this.giveUp(new StartRefusal(reason));
  }

  private duties(): Omit<PrimaryDuties, 'present'> {
    return {
      fail: (text) => this.fail(text),
      metrics: () => this.options.metrics(),
    };
  }

  private async pause(shortLives: number): Promise<void> {
    const ms = Math.min(PAUSE_FIRST_MS * 2 ** shortLives, PAUSE_MOST_MS);
    await sleep(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}
