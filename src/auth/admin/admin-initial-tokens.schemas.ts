import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { isLabel } from '../lists/label.js';
import { listOf, time } from '../lists/list.schemas.js';
import {
  INITIAL_TOKEN_TTL,
  INITIAL_TOKEN_TTL_MOST,
  INITIAL_TOKEN_USES_MOST,
} from '../registration/initial-access-tokens.js';

/** The wire shapes of /admin/initial-access-tokens. */

const shared = {
  id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
  label: z.string().meta({ example: 'for the bakery team' }),
  uses_left: z
    .int()
    .nonnegative()
    .meta({ description: 'So many clients can still register with it.', example: 1 }),
  created_at: time,
  expires_at: time,
};

export const initialTokenItem = z.object(shared).meta({ id: 'InitialAccessToken' });
export const initialTokenList = listOf('InitialAccessTokenList', initialTokenItem);

export const addedInitialToken = z
  .object({
    ...shared,
    initial_access_token: z.string().meta({ description: 'Shown once, here.', example: 'kri_...' }),
  })
  .meta({ id: 'AddedInitialAccessToken' });

export const initialTokenRequest = z
  .object({
    label: z.string().refine(isLabel, reason('bad_label')).meta({
      description: 'Whom it is for: 1 to 100 characters.',
      minLength: 1,
      maxLength: 100,
      example: 'for the bakery team',
    }),
    uses: z
      .int()
      .min(1)
      .max(INITIAL_TOKEN_USES_MOST)
      .optional()
      .meta({ description: 'How many clients can register with it; 1 if absent.', example: 1 }),
    expires_in: z
      .int()
      .min(1)
      .max(INITIAL_TOKEN_TTL_MOST)
      .optional()
      .meta({ description: 'Seconds; 7 days if absent, a year at most.', example: INITIAL_TOKEN_TTL }),
  })
  .meta({ id: 'InitialAccessTokenRequest' });

export type InitialTokenItem = z.infer<typeof initialTokenItem>;
export type AddedInitialToken = z.infer<typeof addedInitialToken>;
export type InitialTokenRequest = z.infer<typeof initialTokenRequest>;
