import { z } from 'zod';
import { clientFields } from '../clients/client-fields.js';

const TOKEN_TYPES =
  '`urn:ietf:params:oauth:token-type:access_token`, or `...:jwt` for one that speaks for itself.';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** The wire shapes of /oauth/*. Requests are forms: every value is a string, an empty one counts as absent. */

export const tokenRequest = z
  .object({
    grant_type: z.string().meta({
      description:
        '`authorization_code`, `client_credentials`, `refresh_token`, or that of a device code (RFC 8628) or of an exchange (RFC 8693).',
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
    device_code: z
      .string()
      .optional()
      .meta({ description: 'With the grant type of RFC 8628.', example: 'kdc_...' }),
    redirect_uri: z.string().optional().meta({ description: 'The one that the code was sent to.' }),
    code_verifier: z.string().optional().meta({ description: 'The secret behind the challenge (RFC 7636).' }),
    subject_token: z.string().optional().meta({
      description:
        'With the grant type of RFC 8693: a living access token that this client got, or that is for it as an API.',
      example: 'kat_...',
    }),
    subject_token_type: z
      .string()
      .optional()
      .meta({ description: `What it is: ${TOKEN_TYPES}`, example: ACCESS_TOKEN }),
    actor_token: z.string().optional().meta({
      description: 'A token of the client itself, which acts anyway. The new token does not outlive it.',
      example: 'kat_...',
    }),
    actor_token_type: z
      .string()
      .optional()
      .meta({ description: 'Goes with `actor_token`.', example: ACCESS_TOKEN }),
    requested_token_type: z
      .string()
      .optional()
      .meta({
        description: `What is wanted: ${TOKEN_TYPES} As the client's tokens are if absent.`,
        example: ACCESS_TOKEN,
      }),
    audience: z.string().optional().meta({
      description: 'The same as `resource`, in an exchange; if both are there they are equal.',
      example: 'https://oven.example',
    }),
    ...clientFields,
  })
  .meta({ id: 'OAuthTokenRequest' });

export const tokenAnswer = z
  .object({
    access_token: z.string().meta({ example: 'kat_...' }),
    token_type: z.enum(['Bearer', 'DPoP']).meta({
      description: '`DPoP` if a proof came with the request: the token is bound to its key.',
      example: 'Bearer',
    }),
    expires_in: z.int().positive().meta({ description: 'Seconds.', example: 3_600 }),
    scope: z.string().meta({ example: 'cookies:eat' }),
    issued_token_type: z.string().optional().meta({
      description: 'Of an exchange: what the token is (RFC 8693 §2.2.1).',
      example: ACCESS_TOKEN,
    }),
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

/** RFC 9449 §6.2, RFC 7800 §3.1. */
export const confirmation = z
  .object({ jkt: z.string().meta({ example: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }) })
  .meta({
    id: 'Confirmation',
    description: 'The token is bound to the key with this thumbprint: it counts only with a proof by it.',
  });

/** RFC 8693 §4.1: nested once for each exchange. */
const actor = z.object({ sub: z.string(), act: z.record(z.string(), z.unknown()).optional() }).meta({
  id: 'Actor',
  description: 'Who acts for the subject: the `client_id`; and in `act` in whose place that one does.',
  example: { sub: 'c-0123456789abcdef01234567' },
});

export const introspectionAnswer = z
  .object({
    active: z.boolean(),
    scope: z.string().optional(),
    client_id: z.string().optional(),
    username: z.string().optional(),
    token_type: z.enum(['Bearer', 'DPoP']).optional(),
    exp: z.int().optional(),
    iat: z.int().optional(),
    sub: z.string().optional(),
    aud: z.string().optional(),
    iss: z.string().optional(),
    jti: z.string().optional(),
    cnf: confirmation.optional(),
    act: actor.optional(),
  })
  .meta({ id: 'IntrospectionAnswer' });

export type TokenRequest = z.infer<typeof tokenRequest> & {
  /** Thumbprint of the key of the request's proof (RFC 9449 §5), which binds the tokens. It is never from the form. */
  readonly jkt?: string | undefined;
};
export type TokenAnswer = z.infer<typeof tokenAnswer>;
export type TokenQuestion = z.infer<typeof tokenQuestion>;
export type IntrospectionAnswer = z.infer<typeof introspectionAnswer>;
