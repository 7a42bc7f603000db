import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { GuardLeases } from '../leases/guard-leases.js';
import type { Position } from '../leases/poll.js';
import { RevocationLog, type Bookmark } from '../leases/revocation-log.js';
import { Snapshot } from '../leases/snapshot.js';
import type { FeedAnswer } from './revocation-feed.schemas.js';

/** `place~snapshot`; in the middle of the log with `~last` behind it. */
const CURSOR = /^([\w-]{1,80})~([\d:,]{1,8000})(?:~(\d{1,18}))?$/;

export interface FeedQuestion {
  /** A name that no other guard of any client has. */
  readonly guard: string;
  readonly cursor: string | undefined;
  /** The digest of the secret that the guard has shown, if it has one. */
  readonly proof: Buffer | undefined;
  /** Aborted when nobody waits for the answer. */
  readonly gone: AbortSignal;
}

/** Answers guards: first the whole log in pages, without a lease, and then the news, with a lease. */
@Injectable()
export class RevocationFeed {
  constructor(
    private readonly leases: GuardLeases,
    private readonly log: RevocationLog,
  ) {}

  /** @throws WireError invalid_request; Unavailable */
  async answer({ guard, cursor, proof, gone }: FeedQuestion): Promise<FeedAnswer> {
    const at = cursor === undefined ? undefined : parseCursor(cursor);
    if (!at) return this.page();
    if ('last' in at) return (await this.nextPage(at)) ?? this.page();
    const news = await this.leases.ask({ guard, from: at, proof }, gone);
    if (news === 'too far behind') return this.page();
    return {
      cursor: spelled(news.position),
      reset: false,
      more: false,
      lease_ms: news.leaseMs,
      entries: [...news.revocations],
    };
  }

  /** Hears what the guard has applied, before its client is authenticated. */
  hear(guard: string, cursor: string, proof: Buffer): void {
    const at = readCursor(cursor);
    if (at && !('last' in at)) this.leases.hear({ guard, from: at, proof });
  }

  /** Lets a guard that stops go. The answer tells it nothing more. */
  async leave(guard: string): Promise<FeedAnswer> {
    await this.leases.leave(guard);
    return { cursor: '', reset: true, more: true, lease_ms: 0, entries: [] };
  }

  private async page(): Promise<FeedAnswer> {
    const first = await this.nextPage();
    if (!first) throw new Error('the first page of the log is of any database');
    return { ...first, reset: true };
  }

  private async nextPage(bookmark?: Bookmark): Promise<FeedAnswer | undefined> {
    const page = await this.log.page(bookmark);
    if (!page) return undefined;
    const last = page.next ? `~${page.next.last}` : '';
    return {
      cursor: spelled(page.position) + last,
      reset: false,
      more: true,
      lease_ms: 0,
      entries: page.revocations,
    };
  }
}

function spelled({ place, snapshot }: Position): string {
  return `${place}~${snapshot.toString()}`;
}

/** @throws WireError */
function parseCursor(text: string): Position | Bookmark {
  const read = readCursor(text);
  if (!read) throw WireError.because('bad_cursor', 'cursor');
  return read;
}

function readCursor(text: string): Position | Bookmark | undefined {
  const [, place, seen = '', last] = CURSOR.exec(text) ?? [];
  const snapshot = Snapshot.parse(seen);
  if (place === undefined || !snapshot) return undefined;
  const position = { place, snapshot };
  return last === undefined ? position : { position, last };
}
