import { hash } from 'node:crypto';
import type { RevocationKind, RevocationRow } from './leases.sql.js';
import type { Snapshot } from './snapshot.js';

/** What guards are told. Whoever has no token to compare it with learns nothing from it. */
export interface Revocation {
  readonly kind: RevocationKind;
  /** SHA-256 in base64url: of the `jti`, the `sid`, the `sub`, the `client_id` or the `kid`; empty for `all`. */
  readonly key: string;
  /** Of a grant: SHA-256 of the `sub` of its tokens. */
  readonly sub?: string;
  /** Whole seconds since the epoch: when the last token that it ends is over. */
  readonly exp: number;
}

/** Guards that keep up ask from a few places. */
const ANSWERS_MOST = 100;

/** What one read has found. */
interface Find {
  readonly seenBy: Snapshot;
  readonly kept: readonly { readonly transaction: bigint; readonly revocation: Revocation }[];
}

/** The end of the log: all of it that one snapshot has seen and an earlier one has not. It is for guards that keep up. */
export class RecentRevocations {
  /** Seen by this one. */
  upTo: Snapshot;
  private finds: Find[] = [];
  private size = 0;
  /** Since the last find, by what was known. */
  private readonly answers = new Map<string, readonly Revocation[] | undefined>();

  /** @param since what is not here has been seen by this one */
  constructor(
    readonly place: string,
    private since: Snapshot,
    private readonly most: number,
  ) {
    this.upTo = since;
  }

  /** Beyond the most that it keeps, the oldest go: guards that have not applied those begin again. */
  add(rows: readonly RevocationRow[], seenBy: Snapshot): void {
    this.upTo = seenBy;
    if (rows.length > 0) {
      this.answers.clear();
      const kept = rows.map((row) => ({ transaction: BigInt(row.xid), revocation: revocationOf(row) }));
      this.finds.push({ seenBy, kept });
      this.size += kept.length;
    }
    while (this.size > this.most) {
      const oldest = this.finds.shift();
      if (!oldest) return;
      this.size -= oldest.kept.length;
      this.since = oldest.seenBy;
    }
  }

  /** Undefined if some of it may not be here. Who asks from the same place gets the same. */
  after(known: Snapshot): readonly Revocation[] | undefined {
    const key = known.toString();
    if (this.answers.size >= ANSWERS_MOST) this.answers.clear();
    if (!this.answers.has(key))
      this.answers.set(key, known.covers(this.since) ? this.unseenBy(known) : undefined);
    return this.answers.get(key);
  }

  hasNews(known: Snapshot): boolean {
    return this.after(known)?.length !== 0;
  }

  /** How many of those that are kept it has not seen. */
  countAfter(known: Snapshot): number {
    return (this.after(known) ?? this.unseenBy(known)).length;
  }

  private unseenBy(known: Snapshot): Revocation[] {
    const unseen: Revocation[][] = [];
    for (const { seenBy, kept } of this.finds.toReversed()) {
      // and so it has seen what was found before
      if (known.covers(seenBy)) break;
      unseen.unshift(
        kept.filter(({ transaction }) => !known.sees(transaction)).map(({ revocation }) => revocation),
      );
    }
    return unseen.flat();
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
