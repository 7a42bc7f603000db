import { hash } from 'node:crypto';
import type { Validation } from './token-validator.js';

interface Kept {
  readonly validation: Validation;
  readonly askedAt: number;
}

export interface CacheOptions {
  readonly seconds: number;
  readonly entries: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Remembers for a few seconds which tokens were active, by their SHA-256, and never beyond their expiry. It never keeps refusals
 * and faults: every request asks again about such tokens.
 */
export class VerdictCache {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly options: CacheOptions) {}

  get(token: string): Validation | undefined {
    const key = keyOf(token);
    const kept = this.kept.get(key);
    if (!kept) return undefined;
    if (this.isFresh(kept)) return kept.validation;
    this.kept.delete(key);
    return undefined;
  }

  /** @param askedAt when the question was about to be sent: the token may have been revoked since then */
  put(token: string, validation: Validation, askedAt: number): void {
    const kept = { validation, askedAt };
    if (!this.isFresh(kept)) return;
    const key = keyOf(token);
    this.kept.delete(key);
    if (this.kept.size >= this.options.entries) this.dropOldest();
    this.kept.set(key, kept);
  }

  private isFresh({ validation, askedAt }: Kept): boolean {
    const now = this.options.now();
    // a clock that was set back must not make an entry live longer
    if (!validation.active || now < askedAt || now >= askedAt + this.options.seconds * 1_000) return false;
    return now < validation.principal.expiresAt * 1_000;
  }

  /** A Map keeps the order of insertion, so the first key is the oldest. */
  private dropOldest(): void {
    for (const key of this.kept.keys()) {
      this.kept.delete(key);
      return;
    }
  }
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}
