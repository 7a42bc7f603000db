import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { passwordText } from '../auth.schemas.js';
import { listOf, pageQuery, time } from '../lists/list.schemas.js';

/** The wire shapes of /admin/users. */

export const userQuery = z.object({
  ...pageQuery.shape,
  name: z
    .string()
    .min(1)
    .max(1_024)
    .refine((text) => /^\P{C}*$/u.test(text))
    .optional()
    .meta({ description: 'Only the user of this name; upper and lower case are the same.' }),
});

export const userItem = z
  .object({
    id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
    name: z.string().meta({ example: 'CookieDestroyer' }),
    scope: z
      .string()
      .meta({ description: 'What was granted, beside `keks:account`.', example: 'cookies:eat' }),
    disabled: z.boolean().meta({ example: false }),
    created_at: time,
  })
  .meta({ id: 'UserRecord' });

export const userList = listOf('UserList', userItem);

export const newUser = z
  .object({
    name: z.string().meta({
      description: '1 to 128 characters that nobody else has; upper and lower case are the same.',
      minLength: 1,
      maxLength: 128,
      example: 'Baker',
    }),
    password: passwordText.meta({
      description: 'Long, and not among the first that an attacker would try.',
      example: 'seven brown biscuits under a blue moon',
    }),
    scope: z
      .string()
      .optional()
      .meta({ description: 'Space-separated; none if absent.', example: 'cookies:eat' }),
  })
  .meta({ id: 'AddUserRequest' });

export const userChange = z
  .object({
    scope: z
      .string()
      .optional()
      .meta({ description: 'The whole of it. What may do more than this dies.', example: 'cookies:eat' }),
    disabled: z
      .boolean()
      .optional()
      .meta({ description: 'True ends everything at once; false gives nothing back.', example: false }),
  })
  .refine(({ scope, disabled }) => scope !== undefined || disabled !== undefined, reason('nothing_to_change'))
  .meta({ id: 'UserChangeRequest' });

export const resetRequest = z
  .object({
    password: passwordText.meta({
      description: 'Your own, once more: a token that somebody took is not enough to open an account.',
      example: 'U+1F36A',
    }),
  })
  .meta({ id: 'PasswordResetRequest' });

export const resetAnswer = z
  .object({
    link: z.string().meta({
      description: 'Shown once, here. Whoever opens it chooses the password: give it to the user only.',
      example: 'https://keks.example/password-reset#kpr_...',
    }),
    expires_at: time,
  })
  .meta({ id: 'PasswordResetAnswer' });

export type ResetRequest = z.infer<typeof resetRequest>;
export type ResetAnswer = z.infer<typeof resetAnswer>;
export type UserQuery = z.infer<typeof userQuery>;
export type UserItem = z.infer<typeof userItem>;
export type NewUser = z.infer<typeof newUser>;
export type UserChangeRequest = z.infer<typeof userChange>;
