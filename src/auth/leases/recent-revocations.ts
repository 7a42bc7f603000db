import { hash } from 'node:crypto';
import type { RevocationKind, RevocationRow } from './leases.sql.js';
import type { Snapshot } from './snapshot.js';

/** A revocation as guards get it. Only somebody who has the token can learn something from it. */
export interface Revocation {
  readonly kind: RevocationKind;
  /** SHA-256 in base64url: of the `jti`, the `sid`, the `sub`, the `client_id` or the `kid`; empty for `all`. */
  readonly key: string;
  /** For `grant`: SHA-256 in base64url of the `sub` of its tokens. */
  readonly sub?: string;
  /** When the last token that the revocation ends has expired, in whole seconds since the epoch. */
  readonly exp: number;
}

/** Guards that keep up ask from only a few positions. */
const ANSWERS_MOST = 100;

/** The result of one read of the log. */
interface Find {
  readonly seenBy: Snapshot;
  readonly kept: readonly { readonly transaction: bigint; readonly revocation: Revocation }[];
}

/** The end of the log, for guards that keep up: the revocations that `upTo` sees and an earlier snapshot does not. */
export class RecentRevocations {
  /** The snapshot of the last read: it sees everything that is kept here. */
  upTo: Snapshot;
  private finds: Find[] = [];
  private size = 0;
  /** The answers since the last find, by the snapshot that the guard asked from. */
  private readonly answers = new Map<string, readonly Revocation[] | undefined>();

  /**
   * @param since a snapshot that sees every revocation that is not kept here
   * @param most how many revocations it keeps
   */
  constructor(
    readonly place: string,
    private since: Snapshot,
    private readonly most: number,
  ) {
    this.upTo = since;
  }

  /** Drops the oldest revocations beyond `most`. Guards that have not applied them must begin again. */
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

  /**
   * The revocations that `known` does not see. Guards that ask from the same snapshot share one array.
   * @returns undefined if some of them may no longer be kept
   */
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

  /** How many of the kept revocations `known` does not see. */
  countAfter(known: Snapshot): number {
    return (this.after(known) ?? this.unseenBy(known)).length;
  }

  private unseenBy(known: Snapshot): Revocation[] {
    const unseen: Revocation[][] = [];
    for (const { seenBy, kept } of this.finds.toReversed()) {
      // `known` also sees all earlier finds
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
