import type { Clock } from '../../database/clock.js';
import type { RequestOrigin } from '../request-origin.js';
import type { Queries, Statement } from '../../database/statement.js';

/** Something that happened: who, what, from where. `detail` never holds a secret; of a request's body it holds names only. */
export interface AuditEvent {
  readonly type: string;
  readonly origin: RequestOrigin;
  readonly actor?: string | null;
  readonly grantId?: string | null;
  readonly tokenId?: string | null;
  readonly detail?: object;
}

export const INSERT_AUDIT_EVENT: Statement = {
  name: 'insert_audit_event',
  text: `INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};

/** @param queries the transaction of the change that the event tells of; the pool if nothing has changed */
export async function audit(queries: Queries, clock: Clock, event: AuditEvent): Promise<void> {
  await queries.run(INSERT_AUDIT_EVENT, auditValues(clock, event));
}

export function auditValues(clock: Clock, event: AuditEvent): unknown[] {
  const { type, origin, actor = 'operator', grantId = null, tokenId = null, detail = {} } = event;
  return [
    new Date(clock.now()),
    type,
    actor,
    grantId,
    tokenId,
    origin.ip,
    origin.requestId,
    JSON.stringify(detail),
  ];
}
