import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { listOf } from '../lists/list.schemas.js';

/** The wire shapes of /admin/scopes. */

const description = z
  .string()
  .refine((text) => text.trim() === text && /^\P{C}{1,200}$/u.test(text), reason('bad_description'))
  .meta({
    description: 'What whoever has it may do, in words for the people who are asked: 1 to 200 characters.',
    example: 'eat your cookies',
  });

export const scopeItem = z
  .object({ scope: z.string().meta({ example: 'cookies:eat' }), description })
  .meta({ id: 'Scope' });
export const knownScope = z
  .object({
    scope: scopeItem.shape.scope,
    description: z
      .string()
      .nullable()
      .meta({ description: 'Null if nobody has said it.', example: 'eat your cookies' }),
  })
  .meta({ id: 'KnownScope' });
export const scopeList = listOf('ScopeList', knownScope);
export const scopeQuery = z.object({
  all: z.enum(['true', 'false']).optional().meta({
    description:
      '`true` lists the others as well: what routes of this server ask for, and what users and clients have.',
  }),
});
export const scopeWords = z.object({ description }).meta({ id: 'ScopeWords' });

export type ScopeItem = z.infer<typeof scopeItem>;
export type KnownScope = z.infer<typeof knownScope>;
export type ScopeQuery = z.infer<typeof scopeQuery>;
export type ScopeWords = z.infer<typeof scopeWords>;
