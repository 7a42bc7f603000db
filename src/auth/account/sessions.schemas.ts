import { z } from 'zod';
import { passwordText } from '../auth.schemas.js';
import { listOf, time } from '../lists/list.schemas.js';

/** The wire shapes of /sessions and /password. */

export const session = z
  .object({
    id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
    label: z
      .string()
      .nullable()
      .meta({ description: 'As the user agent calls itself.', example: 'Firefox on Linux' }),
    ip: z.string().nullable().meta({ description: 'Where it began.', example: '192.0.2.7' }),
    user_agent: z.string().nullable().meta({ example: 'curl/8.5.0' }),
    created_at: time,
    last_used_at: time.nullable().meta({ description: 'May be a minute behind.' }),
    expires_at: time,
    current: z.boolean().meta({ description: 'The login that asks.', example: true }),
  })
  .meta({ id: 'Session' });

export const sessionList = listOf('SessionList', session);

export const passwordRequest = z
  .object({
    old_password: passwordText.meta({ description: 'The one in use.', example: 'U+1F36A' }),
    new_password: passwordText.meta({
      description: 'Stored exactly as sent: long, and not among the first that an attacker would try.',
      example: 'seven brown biscuits under a blue moon',
    }),
    keys: z.boolean().optional().meta({
      description: 'False keeps your API keys, and what you allowed apps; otherwise they end as well.',
      example: false,
    }),
  })
  .meta({ id: 'PasswordRequest' });

export const endQuery = z.object({
  keys: z.enum(['true', 'false']).optional().meta({
    description: '`true` ends your API keys, and what you allowed apps, as well.',
  }),
});

export type Session = z.infer<typeof session>;
export type EndQuery = z.infer<typeof endQuery>;
export type PasswordRequest = z.infer<typeof passwordRequest>;
