import { z } from 'zod';
import { listOf, time } from '../lists/list.schemas.js';
import type { ConsentRow } from './consents.sql.js';

/** The wire shapes of /consents. */

export const consentItem = z
  .object({
    client_id: z.string().meta({ example: 'c-0123456789abcdef01234567' }),
    name: z.string().meta({ description: 'What the client is called.', example: 'My app' }),
    scope: z.string().meta({ description: 'All that it may in your name.', example: 'cookies:eat' }),
    remembered: z.boolean().meta({ description: 'Whether you are not asked again.', example: false }),
    created_at: time.meta({ description: 'Since when.' }),
    last_used_at: time.nullable().meta({ description: 'May be a minute behind.' }),
    expires_at: time,
  })
  .meta({ id: 'Consent' });

export const consentList = listOf('ConsentList', consentItem);

export type ConsentItem = z.infer<typeof consentItem>;

export function itemOf(row: ConsentRow): ConsentItem {
  const scopes = new Set(row.scopes.flatMap((scope) => scope.split(' ').filter(Boolean)));
  return {
    client_id: row.client_id,
    name: row.name,
    scope: [...scopes].join(' '),
    remembered: row.remembered,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    expires_at: row.expires_at.toISOString(),
  };
}
