import { z } from 'zod';
import { time } from '../lists/list.schemas.js';

/** A grant on the wire, as operators see it. */
export const grantItem = z
  .object({
    id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
    kind: z.enum(['login', 'client', 'api_key', 'consent']).meta({ example: 'login' }),
    user_id: z.uuid().nullable().meta({ example: '0d7c5b5e-6f0e-4f0e-8a52-0f6f7b9a3c21' }),
    username: z.string().nullable().meta({ example: 'CookieDestroyer' }),
    client_id: z.string().nullable().meta({ example: null }),
    scope: z.string().meta({ example: 'cookies:eat keks:account' }),
    label: z.string().nullable().meta({ example: null }),
    ip: z.string().nullable().meta({ example: '192.0.2.7' }),
    user_agent: z.string().nullable().meta({ example: 'curl/8.5.0' }),
    created_at: time,
    last_used_at: time.nullable().meta({ description: 'May be a minute behind.' }),
    expires_at: time.nullable().meta({ description: 'Null for a client: its grant stands.' }),
  })
  .meta({ id: 'Grant' });

export type GrantItem = z.infer<typeof grantItem>;
