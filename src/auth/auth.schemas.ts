import { z } from 'zod';
import { reason } from '../http/errors/reasons.js';

/** The wire shapes of /issue, /validate and /revoke. One schema gives the type, the 400 and the OpenAPI entry. */

/** 1 character to 1,024 bytes. A longer password is refused before any work is done on it. */
export const passwordText = z
  .string()
  .min(1)
  .refine((password) => Buffer.byteLength(password) <= 1_024, reason('bad_password'));

export const issueRequest = z
  .object({
    user: z.string().min(1).meta({ description: 'The name of the user.', example: 'CookieDestroyer' }),
    password: passwordText.meta({
      description: 'Exactly as it was set; 1,024 bytes at most.',
      example: 'U+1F36A',
    }),
    scope: z.string().optional().meta({
      description: "Space-separated; all of the user's if absent.",
      example: 'cookies:eat keks:account',
    }),
    format: z
      .enum(['opaque', 'jwt'])
      .optional()
      .meta({ description: 'A random placeholder, or a signed JWT (RFC 9068).', example: 'opaque' }),
    device: z.string().min(1).max(100).optional().meta({
      description:
        '`new`, or the `device` of your last answer: strangers who fail under your name do not lock out who sends it. What proves nothing counts as `new`.',
      example: 'new',
    }),
    resource: z.string().min(1).optional().meta({
      description:
        'The audience of the API that the token is for (RFC 8707), if it is not this server. Such a token has none of the scopes `keks:*` and `keys:*`, and opens nothing here.',
    }),
  })
  .meta({
    id: 'IssueRequest',
    example: {
      user: 'CookieDestroyer',
      password: 'U+1F36A',
      scope: 'cookies:eat keks:account',
      format: 'opaque',
    },
  });

export const issueAnswer = z
  .object({
    token: z.string().meta({ example: 'kat_...' }),
    token_type: z.enum(['Bearer', 'DPoP']).meta({
      description: '`DPoP` if a proof came with the request: the token is bound to its key.',
      example: 'Bearer',
    }),
    expires_in: z.int().positive().meta({ description: 'Seconds.', example: 3_600 }),
    scope: z.string().meta({ example: 'cookies:eat keks:account' }),
    refresh_token: z
      .string()
      .optional()
      .meta({ description: 'Only if `offline_access` was in the scope asked for.', example: 'krt_...' }),
    refresh_expires_in: z.int().positive().optional().meta({ description: 'Seconds.', example: 2_592_000 }),
    device: z.string().optional().meta({
      description: 'Only if `device` was sent: keep it, and send it at the next login. It opens nothing.',
      example: 'kdp_...',
    }),
  })
  .meta({ id: 'IssueAnswer' });

export const tokenRequest = z
  .object({ token: z.string().min(1).meta({ description: 'The token itself.', example: 'kat_...' }) })
  .meta({ id: 'TokenRequest' });

export const validateRequest = tokenRequest
  .extend({
    audience: z.string().min(1).optional().meta({
      description: 'The API that asks: a token for another one is refused.',
    }),
    scope: z.string().min(1).optional().meta({
      description: 'Space-separated: what the token must carry, or the answer is 403.',
    }),
  })
  // the example has the token only: the optional fields differ for each API
  .meta({ id: 'ValidateRequest', example: { token: 'kat_...' } });

export const validateAnswer = z
  .object({
    active: z.literal(true),
    expires_in: z.int().nonnegative().meta({ description: 'Seconds.', example: 3_599 }),
    token_type: z
      .literal('DPoP')
      .optional()
      .meta({ description: 'Only of a token that is bound to a key: as a bearer token it is not good.' }),
    cnf: z
      .object({ jkt: z.string() })
      .optional()
      .meta({ description: 'By whose key a proof has to come with it (RFC 9449 §6).' }),
  })
  .meta({ id: 'ValidateAnswer', example: { active: true, expires_in: 3_599 } });

export const revokeAnswer = z.object({}).meta({ id: 'RevokeAnswer' });

export type IssueRequest = z.infer<typeof issueRequest>;
export type IssueAnswer = z.infer<typeof issueAnswer>;
export type TokenRequest = z.infer<typeof tokenRequest>;
export type ValidateRequest = z.infer<typeof validateRequest>;
export type ValidateAnswer = z.infer<typeof validateAnswer>;
