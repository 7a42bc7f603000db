import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import { ForAdmins } from './for-admins.js';
import { Cursors } from '../lists/cursors.js';
import type { List } from '../lists/list.schemas.js';
import { AuditLog, upTo } from '../audit/audit-log.js';
import { auditList, auditQuery, type AuditEventItem, type AuditQuery } from './admin-audit.schemas.js';
import type { AuditRow } from '../audit/audit.sql.js';

/** What happened, for operators. Read only: nothing here can be changed or taken back. */
@Controller('admin/audit')
@ForAdmins()
export class AuditController {
  constructor(
    private readonly log: AuditLog,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'The audit log, newest first',
    description:
      'Logins, refusals, tokens, revocations and changes: who, what, when, from where. The parameters pick, and all that are given must hold.',
    tags: ['admin'],
  })
  @ApiAnswer(
    200,
    auditList,
    'One page. With a filter it may hold few events or none, and there are more as long as `next` is not null.',
  )
  @ApiErrors('invalid_request')
  async list(@Query({ schema: auditQuery }) query: AuditQuery): Promise<List<AuditEventItem>> {
    const { limit, cursor, since, until, ...question } = query;
    const list = ['audit', JSON.stringify({ ...question, since, until })];
    const newest = until === undefined ? undefined : upTo(new Date(until));
    const after = cursor === undefined ? newest : this.cursors.read(list, cursor);
    const oldest = since === undefined ? undefined : new Date(since);
    const { events, rest } = await this.log.page(question, limit, after, oldest);
    return { items: events.map(itemOf), next: rest ? this.cursors.write(list, rest) : null };
  }
}

function itemOf(row: AuditRow): AuditEventItem {
  const { position: _, created_at: createdAt, ...event } = row;
  return { ...event, created_at: createdAt.toISOString() };
}
