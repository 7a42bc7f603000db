import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import type { Position } from './poll.js';
import { READ_PAGE, type RevocationRow } from './leases.sql.js';
import { revocationOf, type Revocation } from './recent-revocations.js';
import { Snapshot } from './snapshot.js';

/**
 * A place in the middle of the log. The rows up to `last` have been read. Rows that were written since the first page
 * may be missing; the guard asks for them after the last page.
 */
export interface Bookmark {
  /** The position of the first page. */
  readonly position: Position;
  readonly last: string;
}

export interface LogPage {
  readonly position: Position;
  readonly revocations: Revocation[];
  /** Undefined if this was the last page. */
  readonly next: Bookmark | undefined;
}

/** Revocations in a page. */
const PAGE = 2_000;

/**
 * Owns the reading of the whole log, page by page. A row that is written meanwhile may come twice; none is left out.
 */
@Injectable()
export class RevocationLog {
  constructor(private readonly database: Database) {}

  /** @returns undefined if the bookmark is of another place (cluster, timeline or database) @throws Unavailable */
  async page(bookmark?: Bookmark): Promise<LogPage | undefined> {
    const rows = await this.database.run<RevocationRow>(READ_PAGE, [bookmark?.last ?? '0', PAGE]);
    const [first] = rows;
    const snapshot = Snapshot.parse(first?.snapshot ?? '');
    if (!first || !snapshot) throw new Unavailable('the log of revocations gave no answer');
    if (bookmark && bookmark.position.place !== first.place) return undefined;
    const found = rows.filter(({ id }) => id !== null);
    const position = bookmark?.position ?? { place: first.place, snapshot };
    const last = found.length === PAGE ? found.at(-1)?.id : undefined;
    const next = last === undefined || last === null ? undefined : { position, last };
    return { position, revocations: found.map(revocationOf), next };
  }
}
