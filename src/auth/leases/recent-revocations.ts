import { hash } from 'node:crypto';
import type { RevocationKind, RevocationRow } from './leases.sql.js';
import type { Snapshot } from './snapshot.js';

/** What guards are told. Whoever has no token to compare it with learns nothing from it. */
export interface Revocation {
  readonly kind: RevocationKind;
  /** SHA-256 in base64url: of the `jti`, the `sid`, the `sub` or the `kid`; empty for `all`. */
  readonly key: string;
  /** Of a grant: SHA-256 of the `sub` of its tokens. */
  readonly sub?: string;
  /** Whole seconds since the epoch: when the last token that it ends is over. */
  readonly exp: number;
}

interface Kept {
  readonly transaction: bigint;
  readonly revocation: Revocation;
}

/** The end of the log: all of it that one snapshot has seen and an earlier one has not. It is for guards that keep up. */
export class RecentRevocations {
  private kept: Kept[] = [];

  constructor(
    /** What is not here has been seen by this one. */
    private since: Snapshot,
    private readonly most: number,
  ) {}

  /** Seen by this one. */
  upTo: Snapshot = this.since;

  /** @returns false if there are too many: then those who have not applied them begin again */
  add(rows: readonly RevocationRow[], seenBy: Snapshot): boolean {
    this.upTo = seenBy;
    const added = rows.map((row) => ({ transaction: BigInt(row.xid), revocation: revocationOf(row) }));
    const fits = this.kept.length + added.length <= this.most;
    if (fits) this.kept.push(...added);
    else this.forget(seenBy);
    return fits;
  }

  /** Undefined if some of it may not be here. */
  after(known: Snapshot): Revocation[] | undefined {
    if (!known.covers(this.since)) return undefined;
    return this.kept
      .filter(({ transaction }) => !known.sees(transaction))
      .map(({ revocation }) => revocation);
  }

  private forget(seenBy: Snapshot): void {
    this.kept = [];
    this.since = seenBy;
  }
}

export function revocationOf({ kind, value, subject, expires_at }: RevocationRow): Revocation {
  const key = kind === 'token' || kind === 'all' ? value : hashed(value);
  return {
    kind,
    key,
    ...(kind === 'grant' && subject !== null ? { sub: hashed(subject) } : {}),
    exp: expires_at,
  };
}

function hashed(text: string): string {
  return hash('sha256', text, 'base64url');
}
