import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { NEWEST, type Position } from '../lists/cursors.js';
import * as sql from './audit.sql.js';

/** One value for each criterion; absent ones do not limit the search. */
export type AuditQuestion = Readonly<Partial<Record<sql.AuditCriterion, string | undefined>>>;

export interface AuditPage {
  readonly events: readonly sql.AuditRow[];
  /** Where to go on; undefined at the end of the log. */
  readonly rest: Position | undefined;
}

/**
 * A search looks at this many events, so that none takes for ever. To find a rare event in a long log, go on with the next
 * page.
 */
const LOOKED_AT_MOST = 20_000;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';
/** Each of these has an index. */
const INDEXED: readonly sql.AuditCriterion[] = ['grant_id', 'token_id'];

/** Owns the reading of the audit log. Each change writes its own event, in its transaction. */
@Injectable()
export class AuditLog {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. A page may hold fewer events than asked for, or none, and still not be the last page.
   * @param oldest older events are not shown to this caller
   */
  async page(
    question: AuditQuestion,
    limit: number,
    after: Position = NEWEST,
    oldest?: Date,
  ): Promise<AuditPage> {
    const criteria = criteriaOf(question);
    const person = criteria.length === 1 && criteria[0] === 'user';
    const searches =
      criteria.length > 0 && !person && !criteria.some((criterion) => INDEXED.includes(criterion));
    const list = person ? sql.LIST_AUDIT_OF_PERSON : sql.listAuditEvents(criteria);
    const rows = await this.database.run<sql.AuditRow | sql.HorizonRow>(
      searches ? sql.searchAuditEvents(criteria) : list,
      [
        ...after,
        limit + 1,
        ...(searches ? [LOOKED_AT_MOST] : []),
        ...criteria.map((criterion) => question[criterion]),
      ],
    );
    const found = rows.filter((row) => row.id !== null);
    const events = found.slice(0, limit);
    const horizon = rows.find((row) => row.id === null)?.position;
    const rest = found.length > limit ? events.at(-1)?.position : horizon;
    return oldest === undefined ? { events, rest } : notBefore(oldest, events, rest);
  }

  /** Oldest first, beginning with the events that are newer than the position. */
  tail(question: AuditQuestion, limit: number, from: Position): Promise<sql.AuditRow[]> {
    const criteria = criteriaOf(question);
    const values = criteria.map((criterion) => question[criterion]);
    return this.database.run(sql.tailAuditEvents(criteria), [...from, limit, ...values]);
  }
}

/**
 * The position just after everything that happened at that time. PostgreSQL keeps microseconds, so the whole millisecond
 * counts.
 */
export function upTo(time: Date): Position {
  return [new Date(time.getTime() + 1).toISOString(), NIL_UUID];
}

function notBefore(oldest: Date, events: readonly sql.AuditRow[], rest: Position | undefined): AuditPage {
  const within = events.filter(({ created_at: at }) => at >= oldest);
  const isOver = within.length < events.length || (rest !== undefined && timeOf(rest) < oldest.getTime());
  return { events: within, rest: isOver ? undefined : rest };
}

/** As PostgreSQL writes it, in UTC. */
function timeOf([at = '']: Position): number {
  return Date.parse(at.replace(' ', 'T').replace(/\+00(?::00)?$/, 'Z'));
}

function criteriaOf(question: AuditQuestion): sql.AuditCriterion[] {
  return sql.AUDIT_CRITERIA.filter((criterion) => question[criterion] !== undefined);
}
