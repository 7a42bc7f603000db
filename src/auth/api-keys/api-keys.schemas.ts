import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { passwordText } from '../auth.schemas.js';
import { isLabel } from '../lists/label.js';
import { listOf, time } from '../lists/list.schemas.js';
import { KEY_TTL_DEFAULT, KEY_TTL_MOST } from './api-keys.service.js';

/** The wire shapes of /keys. */

const shared = {
  id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
  label: z.string().meta({ example: 'night baker' }),
  scope: z.string().meta({ example: 'cookies:eat' }),
};

export const keyRequest = z
  .object({
    label: z.string().refine(isLabel, reason('bad_label')).meta({
      description: 'What you call it: 1 to 100 characters.',
      minLength: 1,
      maxLength: 100,
      example: 'night baker',
    }),
    password: passwordText.meta({
      description: 'Yours, once more: a token that somebody took is not enough to make a key.',
      example: 'U+1F36A',
    }),
    scope: z.string().optional().meta({
      description:
        'Space-separated, within what the token that asks may do; all of that if absent. Never anything of `keks:` or `keys:`.',
      example: 'cookies:eat',
    }),
    expires_in: z
      .int()
      .min(1)
      .max(KEY_TTL_MOST)
      .optional()
      .meta({ description: 'Seconds; 90 days if absent, 10 years at most.', example: KEY_TTL_DEFAULT }),
  })
  .meta({ id: 'KeyRequest' });

export const keyAnswer = z
  .object({
    ...shared,
    key: z.string().meta({ description: 'Shown once, here.', example: 'kak_...' }),
    expires_at: time,
  })
  .meta({ id: 'KeyAnswer' });

export const keyItem = z
  .object({ ...shared, created_at: time, last_used_at: time.nullable(), expires_at: time })
  .meta({ id: 'Key' });

export const keyList = listOf('KeyList', keyItem);

export type KeyRequest = z.infer<typeof keyRequest>;
export type KeyAnswer = z.infer<typeof keyAnswer>;
export type KeyItem = z.infer<typeof keyItem>;
