import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { grantItem } from '../grants/grant.schemas.js';
import { listOf, pageQuery } from '../lists/list.schemas.js';
import { isUuid } from '../uuid.js';

/** The wire shapes of /admin/grants. */

export const grantQuery = z.object({
  ...pageQuery.shape,
  user_id: z
    .string()
    .refine(isUuid, reason('not_uuid'))
    .optional()
    .meta({ description: 'Those of one user.', format: 'uuid' }),
  client_id: z
    .string()
    .refine((text) => /^[!-~]{1,128}$/.test(text))
    .optional()
    .meta({ description: 'Those of one client.' }),
});

export const grantList = listOf('GrantList', grantItem);

export type GrantQuery = z.infer<typeof grantQuery>;
