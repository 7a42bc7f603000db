import type { Positioned } from '../lists/cursors.js';
import { columnsOf, type RowOf } from '../../database/columns.js';
import type { AuditEventRow } from './audit-event.entity.js';
import type { Statement } from '../../database/statement.js';

/** By hand, all of it: a list, a tail and a search share their conditions, and no repository can say the search. */
const EVENT = [
  'id',
  'createdAt',
  'type',
  'actor',
  'grantId',
  'tokenId',
  'ip',
  'requestId',
  'detail',
] as const;

/** One event. */
export type AuditRow = Positioned & RowOf<AuditEventRow, typeof EVENT>;

/** Where a search has stopped. */
export interface HorizonRow extends Positioned {
  readonly id: null;
}

/** What the log can be searched by. Each makes a condition on `$n`. */
const CONDITIONS = {
  type: (n: string) => `type = ${n}`,
  actor: (n: string) => `actor = ${n}`,
  user: (n: string) => `(actor = 'user:' || ${n}::text OR detail->>'user' = ${n})`,
  client_id: (n: string) => `(actor = 'client:' || ${n}::text OR detail->>'client_id' = ${n})`,
  grant_id: (n: string) => `grant_id = ${n}::uuid`,
  token_id: (n: string) => `token_id = ${n}::uuid`,
} as const;

export type AuditCriterion = keyof typeof CONDITIONS;

export const AUDIT_CRITERIA = Object.keys(CONDITIONS) as readonly AuditCriterion[];

const POSITION = 'ARRAY[created_at::text, id::text] AS position';
export const AUDIT_COLUMNS = columnsOf(EVENT);
const BEHIND = '(created_at, id) < ($1::timestamptz, $2::uuid)';
const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';

/** Each combination of criteria is a statement of its own, so that an index can serve it. PostgreSQL cuts names at 63 bytes. */
const named = (name: string, criteria: readonly AuditCriterion[], text: string): Statement => ({
  name: `${name}_${criteria.map((criterion) => AUDIT_CRITERIA.indexOf(criterion)).join('')}`,
  text,
});

/**
 * The next `limit` events, newest first. Two indexes, each in the order of time, hold what a person did and what was done to
 * them. Each is asked by itself, because an OR would read all events of the person to sort them.
 * @param name whose, as `$n`; of everybody if undefined
 */
function nextEvents(limit: string, name: string | undefined): string {
  const from = `SELECT ${AUDIT_COLUMNS} FROM audit_events WHERE ${BEHIND}`;
  const end = `${NEWEST_FIRST} LIMIT ${limit}`;
  if (name === undefined) return `${from} ${end}`;
  const actor = `'user:' || ${name}::text`;
  return `(${from} AND actor LIKE 'user:%' AND actor = ${actor} ${end})
          UNION ALL
          (${from} AND detail->>'user' = ${name} AND actor IS DISTINCT FROM ${actor} ${end})
          ${end}`;
}

/** `$3` events from behind `$1, $2`, newest first. */
export function listAuditEvents(criteria: readonly AuditCriterion[]): Statement {
  const conditions = [BEHIND, ...criteria.map((criterion, at) => CONDITIONS[criterion](`$${at + 4}`))];
  return named(
    'list_audit_events',
    criteria,
    `SELECT ${AUDIT_COLUMNS}, ${POSITION} FROM audit_events WHERE ${conditions.join(' AND ')} ${NEWEST_FIRST} LIMIT $3`,
  );
}

/** The same of the person `$4`. */
export const LIST_AUDIT_OF_PERSON: Statement = {
  name: 'list_audit_of_person',
  text: `SELECT ${AUDIT_COLUMNS}, ${POSITION} FROM (${nextEvents('$3', '$4')}) AS theirs ${NEWEST_FIRST}`,
};

/** `$3` events from in front of `$1, $2`, oldest first. */
export function tailAuditEvents(criteria: readonly AuditCriterion[]): Statement {
  const conditions = criteria.map((criterion, at) => ` AND ${CONDITIONS[criterion](`$${at + 4}`)}`);
  return named(
    'tail_audit_events',
    criteria,
    `SELECT ${AUDIT_COLUMNS}, ${POSITION} FROM audit_events
      WHERE (created_at, id) > ($1::timestamptz, $2::uuid)${conditions.join('')} ORDER BY created_at, id LIMIT $3`,
  );
}

/**
 * Like a list, but looks only at the next `$4` events, of everybody or of one person. If it finds fewer than `$3`, a last row
 * without `id` tells where the search stopped. Both parts see the same snapshot, so nothing is shown twice or skipped.
 */
export function searchAuditEvents(criteria: readonly AuditCriterion[]): Statement {
  const conditions = criteria.map((criterion, at) => CONDITIONS[criterion](`$${at + 5}`));
  const next = nextEvents('$4', criteria.includes('user') ? `$${criteria.indexOf('user') + 5}` : undefined);
  return named(
    'search_audit_events',
    criteria,
    `WITH page AS MATERIALIZED (
       SELECT ${AUDIT_COLUMNS}, ${POSITION}
         FROM (${next}) AS seen
        WHERE ${conditions.join(' AND ')} ${NEWEST_FIRST} LIMIT $3
     ), horizon AS (
       SELECT ${POSITION} FROM (${next}) AS seen ${NEWEST_FIRST} OFFSET $4 - 1 LIMIT 1
     )
     SELECT * FROM page
     UNION ALL
     SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, position FROM horizon
      WHERE (SELECT count(*) FROM page) < $3
      ORDER BY created_at DESC NULLS LAST, id DESC`,
  );
}
