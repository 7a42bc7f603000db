import { hash } from 'node:crypto';
import { NoVerdict } from './no-verdict.js';

/** The parts of a token that an entry can name, by SHA-256. */
export interface Names {
  readonly jti: string;
  readonly sub: string;
  readonly kid: string;
  /** Absent from tokens of clients, and from tokens of authorities that do not write it. */
  readonly sid: string | undefined;
  /** Who acts for the subject; absent from most tokens. */
  readonly actors?: readonly string[];
  /** Seconds since the epoch. */
  readonly exp: number;
}

export interface Entry {
  readonly kind: string;
  readonly key: string;
  readonly sub: string | undefined;
  readonly exp: number;
}

/** Seconds for which an entry is kept after its time: the clock of this machine may be set back. */
const REST = 600;
/** Some 50 MB. A client can take back as many tokens as it can get. */
export const ENTRIES_MOST = 250_000;

/**
 * Owns what is known about tokens that were taken back. An entry is kept at least as long as the last token that it ends. A token
 * that an entry may mean is asked about once: an answer that came after the entry holds for that entry.
 */
export class RevocationSet {
  private readonly tokens = new Map<string, number>();
  private readonly grants = new Map<string, number>();
  private readonly keys = new Map<string, number>();
  /** When the last entry came that may mean a token with this subject or actor: as a number of our own. */
  private readonly subjects = new Map<string, { at: number; exp: number }>();
  private all = 0;
  private allUntil = 0;
  private count = 0;
  /** The latest time at which entries were forgotten. The clock may have been ahead then. */
  private forgotTo = 0;

  /** How many entries are held. */
  get size(): number {
    return this.tokens.size + this.grants.size + this.keys.size + this.subjects.size;
  }

  /** The number of entries so far: an entry that comes later has a higher number. */
  get now(): number {
    return this.count;
  }

  add({ kind, key, sub, exp }: Entry): void {
    this.count += 1;
    if (this.size >= ENTRIES_MOST) this.doubtAll();
    if (kind === 'token') this.tokens.set(key, exp);
    else if (kind === 'key') this.keys.set(key, exp);
    else if (kind === 'grant') {
      this.grants.set(key, exp);
      if (sub !== undefined) this.doubt(`grant ${sub}`, exp);
    } else if (kind === 'subject') this.doubt(`all ${key}`, exp);
    else if (kind === 'actor') this.doubt(`actor ${key}`, exp);
    else {
      // `all`, and kinds that a later authority may send: a kind that is not known here must not leave a dead token alive
      this.all = this.count;
      this.allUntil = Math.max(this.allUntil, exp);
    }
  }

  /**
   * @param clearedAt `now` before the authority was asked and said that the token is active; -1 if the authority was not asked
   */
  judge(names: Names, clearedAt: number): 'dead' | 'unknown' | 'not named' {
    const { jti, sid, sub, kid, actors = [] } = names;
    if (this.tokens.has(jti) || this.keys.has(kid)) return 'dead';
    if (sid !== undefined && this.grants.has(sid)) return 'dead';
    // its entry may be among the forgotten ones, if the clock has been set back since
    if (names.exp + REST < this.forgotTo) return 'unknown';
    if (this.all === 0 && this.subjects.size === 0) return 'not named';
    const doubts = [this.all, this.subjects.get(`all ${sub}`)?.at ?? 0];
    if (sid === undefined) doubts.push(this.subjects.get(`grant ${sub}`)?.at ?? 0);
    for (const actor of actors) doubts.push(this.subjects.get(`actor ${actor}`)?.at ?? 0);
    return Math.max(...doubts) > Math.max(0, clearedAt) ? 'unknown' : 'not named';
  }

  /** @param now seconds since the epoch, by the clock that judges the expiry of tokens */
  forget(now: number): void {
    this.forgotTo = Math.max(this.forgotTo, now);
    for (const map of [this.tokens, this.grants, this.keys])
      for (const [key, exp] of map) if (exp + REST < now) map.delete(key);
    for (const [key, { exp }] of this.subjects) if (exp + REST < now) this.subjects.delete(key);
    if (this.allUntil + REST < now) this.all = 0;
  }

  /**
   * There is no room for more entries, so all are dropped: until the last of them is over, the authority is asked once about each
   * token.
   */
  private doubtAll(): void {
    const ends = [...this.tokens.values(), ...this.grants.values(), ...this.keys.values()];
    for (const { exp } of this.subjects.values()) ends.push(exp);
    this.all = this.count;
    for (const exp of ends) this.allUntil = Math.max(this.allUntil, exp);
    for (const map of [this.tokens, this.grants, this.keys, this.subjects]) map.clear();
  }

  private doubt(key: string, exp: number): void {
    const known = this.subjects.get(key);
    this.subjects.set(key, { at: this.count, exp: Math.max(exp, known?.exp ?? 0) });
  }
}

export function hashed(text: string): string {
  return hash('sha256', text, 'base64url');
}

export interface FeedAnswer {
  readonly cursor: string;
  readonly reset: boolean;
  readonly more: boolean;
  /** Milliseconds. */
  readonly lease: number;
  readonly entries: readonly Entry[];
}

/** @throws NoVerdict bad_answer */
export function readFeed(body: string): FeedAnswer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw flawed();
  }
  const { cursor, reset, more, lease_ms: lease, entries } = (parsed ?? {}) as Record<string, unknown>;
  const isWhole =
    typeof lease === 'number' && Number.isSafeInteger(lease) && lease >= 0 && lease <= 3_600_000;
  if (typeof cursor !== 'string' || typeof reset !== 'boolean' || typeof more !== 'boolean' || !isWhole)
    throw flawed();
  if (!Array.isArray(entries)) throw flawed();
  return { cursor, reset, more, lease, entries: entries.map(entryOf) };
}

function entryOf(entry: unknown): Entry {
  const { kind, key, sub, exp } = (entry ?? {}) as Record<string, unknown>;
  if (typeof kind !== 'string' || typeof key !== 'string' || typeof exp !== 'number') throw flawed();
  return { kind, key, sub: typeof sub === 'string' ? sub : undefined, exp };
}

function flawed(): NoVerdict {
  return new NoVerdict('bad_answer', 'The revocation feed gave an answer that is none.');
}
