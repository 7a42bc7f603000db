import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { listOf, pageQuery, time } from '../lists/list.schemas.js';
import { isUuid } from '../uuid.js';

/** The wire shapes of /admin/audit. */

const word = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => /^\P{C}*$/u.test(text))
  .optional();
/** RFC 3339, of years that PostgreSQL and JavaScript write alike. */
const INSTANT = /^(?:19|20|21)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const uuid = z.string().refine(isUuid, reason('not_uuid')).optional();

const instant = z
  .string()
  .max(40)
  .refine((text) => INSTANT.test(text) && !Number.isNaN(Date.parse(text)), reason('not_time'))
  .optional();

export const auditQuery = z.object({
  ...pageQuery.shape,
  type: word.meta({ description: 'What happened: `login.refused`, `token.issued`, ...' }),
  actor: word.meta({ description: 'Who did it: `user:NAME`, `client:ID`, `holder`, `operator`.' }),
  user: word.meta({ description: 'The name of a user who did it, or to whom it was done.' }),
  client_id: word.meta({ description: 'The same for a client.' }),
  grant_id: uuid.meta({ description: 'The life of one login, key or client.', format: 'uuid' }),
  since: instant.meta({ description: 'Nothing older than this (RFC 3339).', format: 'date-time' }),
  until: instant.meta({ description: 'Nothing younger than this (RFC 3339).', format: 'date-time' }),
  token_id: uuid.meta({ description: 'What happened to one token.', format: 'uuid' }),
});

export const auditEvent = z
  .object({
    id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
    created_at: time,
    type: z.string().meta({ example: 'login.refused' }),
    actor: z
      .string()
      .nullable()
      .meta({ description: 'Null if nobody has proved who it was.', example: null }),
    grant_id: z.uuid().nullable().meta({ example: null }),
    token_id: z.uuid().nullable().meta({ description: 'Never the token itself.', example: null }),
    ip: z.string().nullable().meta({ example: '192.0.2.7' }),
    request_id: z
      .string()
      .nullable()
      .meta({ description: 'As in the log and in `X-Request-Id`.', example: null }),
    detail: z
      .record(z.string(), z.unknown())
      .meta({ example: { user: 'CookieDestroyer', reason: 'wrong_password' } }),
  })
  .meta({ id: 'AuditEvent' });

export const auditList = listOf('AuditList', auditEvent);

export type AuditQuery = z.infer<typeof auditQuery>;
export type AuditEventItem = z.infer<typeof auditEvent>;
