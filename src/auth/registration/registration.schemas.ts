import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';

/** The wire shapes of /oauth/register (RFC 7591 §2 and §3.2.1, RFC 7592 §3). Members that are not here mean nothing. */

export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

const text = z.string(reason('bad_metadata'));
const texts = z.array(text, reason('bad_metadata'));

const shared = {
  redirect_uris: z.array(z.string(reason('bad_redirects')), reason('bad_redirects')).meta({
    description:
      'Where answers go, 1 to 20 of them, compared letter by letter; of `http://127.0.0.1` and `http://[::1]` the port may be any.',
    example: ['http://127.0.0.1/callback'],
  }),
  token_endpoint_auth_method: z.enum(AUTH_METHODS, reason('bad_metadata')).meta({
    description: '`none` for a program that can keep no secret. `client_secret_basic` if absent.',
    example: 'none',
  }),
  grant_types: texts.meta({
    description:
      '`authorization_code`, for which it needs `redirect_uris`, `urn:ietf:params:oauth:grant-type:device_code`, or both, and `refresh_token`. What is not offered is left out.',
    example: ['authorization_code', 'refresh_token'],
  }),
  response_types: texts.meta({
    description: '`code`; none for a client of the device grant alone.',
    example: ['code'],
  }),
  require_pushed_authorization_requests: z.boolean(reason('bad_metadata')).meta({
    description: 'Whether nobody may be sent for it but with a pushed request (RFC 9126 §6).',
    example: false,
  }),
  dpop_bound_access_tokens: z.boolean(reason('bad_metadata')).meta({
    description: 'Whether it gets only tokens that are bound to a key (RFC 9449 §5.2).',
    example: false,
  }),
  jwks: z.record(z.string(), z.unknown(), reason('bad_metadata')).meta({
    description:
      'With `private_key_jwt`: the public keys that it signs with (RFC 7517), 1 to 10. `jwks_uri` is not read.',
    example: undefined,
  }),
  client_name: text.meta({
    description: '1 to 100 characters. People read it when they are asked.',
    example: 'Cookie Calendar',
  }),
  scope: text.meta({
    description:
      'The most that it will ask for. What such a client cannot have is left out; absent, it is all that such a client can have.',
    example: 'cookies:eat',
  }),
};

export const registrationRequest = z.object(shared).partial().meta({ id: 'RegistrationRequest' });

/** RFC 7592 §2.2: a change sends the whole registration again. */
export const registrationChange = z
  .object({
    client_id: text.meta({ description: 'The one of the address.', example: 'c-0123456789abcdef01234567' }),
    client_secret: text.meta({ description: 'Its secret as it is; it may be absent.' }),
    ...shared,
  })
  .partial()
  .loose()
  .meta({ id: 'RegistrationChange' });

export const registrationAnswer = z
  .object({
    client_id: z.string().meta({ example: 'c-0123456789abcdef01234567' }),
    client_id_issued_at: z.int().meta({ description: 'Seconds since the epoch.', example: 1_769_860_800 }),
    client_secret: z
      .string()
      .optional()
      .meta({ description: 'Shown once, when it is registered.', example: 'kcs_...' }),
    client_secret_expires_at: z
      .literal(0)
      .optional()
      .meta({ description: 'Never. There if it has a secret.', example: 0 }),
    registration_client_uri: z.url().meta({
      description: 'Where the client reads, changes and deletes its registration (RFC 7592).',
      example: 'https://auth.example.com/oauth/register/c-0123456789abcdef01234567',
    }),
    registration_access_token: z
      .string()
      .meta({ description: 'The bearer token for that, and for nothing else.', example: 'kra_...' }),
    ...shared,
    jwks: shared.jwks.optional(),
  })
  .meta({ id: 'RegistrationAnswer' });

export type RegistrationRequest = z.infer<typeof registrationRequest>;
export type RegistrationChange = z.infer<typeof registrationChange>;
export type RegistrationAnswer = z.infer<typeof registrationAnswer>;
