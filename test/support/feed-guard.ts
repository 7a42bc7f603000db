import { hash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Answer } from './test-app.js';

interface Feed {
  readonly cursor: string;
  readonly reset: boolean;
  readonly more: boolean;
  readonly lease_ms: number;
  readonly entries: {
    readonly kind: string;
    readonly key: string;
    readonly sub?: string;
    readonly exp: number;
  }[];
}

export const hashed = (text: unknown): string => hash('sha256', String(text), 'base64url');

/** A guard that keeps the rules, one step at a time. */
export class FeedGuard {
  readonly name = randomBytes(16).toString('base64url');
  cursor: string | undefined;
  known = new Map<string, Feed['entries'][number]>();

  constructor(private readonly ask: (fields: Record<string, string>) => Promise<Answer>) {}

  async poll(): Promise<Feed> {
    const answer = await this.ask({
      guard: this.name,
      ...(this.cursor === undefined ? {} : { cursor: this.cursor }),
    });
    expect(answer.status).toBe(200);
    const feed = answer.body as Feed;
    if (feed.reset) this.known = new Map();
    for (const entry of feed.entries) this.known.set(`${entry.kind} ${entry.key}`, entry);
    this.cursor = feed.cursor;
    return feed;
  }

  async untilLease(): Promise<Feed> {
    for (;;) {
      const feed = await this.poll();
      if (feed.lease_ms > 0) return feed;
    }
  }

  /** Nobody waits for it any more; it may come back. */
  async leave(): Promise<void> {
    expect((await this.ask({ guard: this.name, leave: 'true' })).status).toBe(200);
  }

  /** All that there is by now, without anybody having to wait for it afterwards. */
  async catchUp(): Promise<void> {
    await this.untilLease();
    await this.leave();
  }

  knows(kind: string, text: unknown): boolean {
    return this.known.has(`${kind} ${hashed(text)}`);
  }
}
