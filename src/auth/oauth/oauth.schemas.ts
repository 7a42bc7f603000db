import { z } from 'zod';

/** The wire shapes of /oauth/*. Requests are forms: every value is a string, an empty one counts as absent. */

const clientFields = {
  client_id: z
    .string()
    .optional()
    .meta({ description: 'With `client_secret`, instead of HTTP Basic; alone for a client that has none.' }),
  client_secret: z.string().optional().meta({ description: 'Never in the URL.', example: 'kcs_...' }),
  client_assertion_type: z.string().optional().meta({
    description: 'With `client_assertion`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.',
  }),
  client_assertion: z.string().optional().meta({
    description: 'In place of a secret: a JWT that the client has signed with its own key (RFC 7523), once.',
  }),
};

export const tokenRequest = z
  .object({
    grant_type: z.string().meta({
      description: '`authorization_code`, `client_credentials` or `refresh_token`.',
      example: 'client_credentials',
    }),
    scope: z.string().optional().meta({ description: 'Space-separated; all that is granted if absent.' }),
    resource: z.string().optional().meta({ description: 'Who the token is for (RFC 8707); one at most.' }),
    refresh_token: z
      .string()
      .optional()
      .meta({ description: 'With `grant_type=refresh_token`.', example: 'krt_...' }),
    code: z
      .string()
      .optional()
      .meta({ description: 'With `grant_type=authorization_code`.', example: 'kac_...' }),
    redirect_uri: z.string().optional().meta({ description: 'The one that the code was sent to.' }),
    code_verifier: z.string().optional().meta({ description: 'The secret behind the challenge (RFC 7636).' }),
    ...clientFields,
  })
  .meta({ id: 'OAuthTokenRequest' });

export const tokenAnswer = z
  .object({
    access_token: z.string().meta({ example: 'kat_...' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().positive().meta({ description: 'Seconds.', example: 3_600 }),
    scope: z.string().meta({ example: 'cookies:eat' }),
    refresh_token: z.string().optional().meta({ example: 'krt_...' }),
    refresh_expires_in: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'Seconds.', example: 2_592_000 }),
  })
  .meta({ id: 'OAuthTokenAnswer' });

export const tokenQuestion = z
  .object({
    token: z.string().meta({ description: 'The token in question.', example: 'kat_...' }),
    token_type_hint: z.string().optional().meta({ description: 'Changes nothing.' }),
    ...clientFields,
  })
  .meta({ id: 'OAuthTokenQuestion' });

export const introspectionAnswer = z
  .object({
    active: z.boolean(),
    scope: z.string().optional(),
    client_id: z.string().optional(),
    username: z.string().optional(),
    token_type: z.literal('Bearer').optional(),
    exp: z.int().optional(),
    iat: z.int().optional(),
    sub: z.string().optional(),
    aud: z.string().optional(),
    iss: z.string().optional(),
    jti: z.string().optional(),
  })
  .meta({ id: 'IntrospectionAnswer' });

export type TokenRequest = z.infer<typeof tokenRequest>;
export type TokenAnswer = z.infer<typeof tokenAnswer>;
export type TokenQuestion = z.infer<typeof tokenQuestion>;
export type IntrospectionAnswer = z.infer<typeof introspectionAnswer>;
