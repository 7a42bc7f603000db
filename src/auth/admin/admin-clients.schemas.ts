import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { listOf, time } from '../lists/list.schemas.js';

/** The wire shapes of /admin/clients. */

const CLIENT_ID = 'c-0123456789abcdef01234567';
const SECRET_ID = '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';

const JWKS =
  'the public keys that the client signs with (RFC 7517), `{"keys": [...]}` with 1 to 10 of EC P-256, Ed25519, or RSA of 2048 to 4096 bits.';

const shared = {
  client_id: z.string().meta({ example: CLIENT_ID }),
  name: z.string().meta({ example: 'Oven' }),
  scope: z.string().meta({ example: 'cookies:bake' }),
  audience: z
    .array(z.string())
    .meta({ description: 'The APIs that it is: whose tokens it may introspect.', example: [] }),
  resources: z
    .array(z.string())
    .nullable()
    .meta({
      description:
        'The APIs beside its own that it may ask tokens for; null for any, in clients that are older than this choice.',
      example: ['https://oven.example cookies:bake'],
    }),
  redirect_uris: z.array(z.string()).meta({
    description: 'Where answers to it may go: with any it acts for people, not for itself.',
    example: [],
  }),
  device_grant: z.boolean().meta({
    description:
      'Whether people may let it in with a code that they type (RFC 8628): with it, too, it acts for people.',
    example: false,
  }),
  require_pushed_authorization_requests: z.boolean().meta({
    description: 'Whether it has to push its requests before it sends anybody (RFC 9126).',
    example: false,
  }),
  token_endpoint_auth_method: z.enum(['client_secret_basic', 'private_key_jwt', 'none']).meta({
    description: '`none`: it has no secret. With one, it may send it in the form as well.',
    example: 'client_secret_basic',
  }),
  jwks: z
    .object({ keys: z.array(z.record(z.string(), z.string())) })
    .optional()
    .meta({
      description: 'The keys with which it proves itself, if it does so.',
      example: { keys: [] },
    }),
  self_registered: z.boolean().meta({
    description: 'Whether it registered itself: nobody here has checked what it says of itself.',
    example: false,
  }),
  token_format: z.enum(['opaque', 'jwt']).meta({ example: 'opaque' }),
  dpop_bound_access_tokens: z
    .boolean()
    .meta({ description: 'It gets only tokens that are bound to a key (RFC 9449 §5.2).', example: false }),
  token_exchange: z.boolean().meta({
    description: 'Whether it may exchange tokens that it was sent for tokens for another API (RFC 8693).',
    example: false,
  }),
  disabled: z.boolean().meta({ example: false }),
  created_at: time,
};

const secret = {
  secret_id: z.uuid().meta({ example: SECRET_ID }),
  client_secret: z.string().meta({ description: 'Shown once, here.', example: 'kcs_...' }),
};

export const clientItem = z.object(shared).meta({ id: 'ClientRecord' });
export const clientList = listOf('ClientList', clientItem);

export const clientDetails = z
  .object({
    ...shared,
    secrets: z
      .array(z.object({ id: z.uuid(), created_at: time }))
      .meta({ description: 'Newest first; two at most.', example: [] }),
  })
  .meta({ id: 'ClientDetails' });

export const addedClient = z
  .object({
    ...shared,
    secret_id: secret.secret_id.optional(),
    client_secret: secret.client_secret.optional(),
  })
  .meta({ id: 'AddedClient' });
export const addedSecret = z
  .object({ client_id: shared.client_id, ...secret })
  .meta({ id: 'AddedClientSecret' });

const resources = z
  .array(z.string())
  .optional()
  .meta({
    description:
      'The APIs beside its own that it may ask tokens for, with `resource`: for each its absolute URI, and after it, each after a space, the scopes that such tokens may carry. Without any they may carry all that the client may.',
    example: ['https://oven.example cookies:bake'],
  });

const redirectUris = z
  .array(z.string())
  .optional()
  .meta({
    description:
      'Where answers to it may go (RFC 6749 §3.1.2), compared letter by letter; of `http://127.0.0.1` and `http://[::1]` the port may be any.',
    example: ['https://app.example/done'],
  });

const deviceGrant = z.boolean().optional().meta({
  description:
    'Whether it may ask people to type a code on another device (RFC 8628): for terminals, televisions and the like.',
  example: false,
});

const requirePushed = z.boolean().optional().meta({
  description: 'Whether it has to push its requests to `/oauth/par` before it sends anybody (RFC 9126).',
  example: false,
});

const dpopBound = z.boolean().optional().meta({
  description:
    'True: it gets only tokens that are bound to a key, and none without a proof (RFC 9449 §5.2). Tokens that it has live on.',
  example: false,
});

const tokenExchange = z.boolean().optional().meta({
  description:
    'True: as an API it may exchange tokens that it was sent for tokens for the APIs in `resources`, with no more scope than both have (RFC 8693). Not for clients that act for people.',
  example: false,
});

export const newClient = z
  .object({
    name: z.string().meta({ description: '1 to 100 characters.', example: 'Oven' }),
    scope: z
      .string()
      .optional()
      .meta({ description: 'Space-separated; none if absent.', example: 'cookies:bake' }),
    audience: z
      .array(z.string())
      .optional()
      .meta({ description: 'Absolute URIs of the APIs that it is.', example: ['https://oven.example'] }),
    resources,
    redirect_uris: redirectUris,
    device_grant: deviceGrant,
    require_pushed_authorization_requests: requirePushed,
    token_endpoint_auth_method: z
      .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
      .optional()
      .meta({
        description: "`none` for programs in other people's hands, which can keep no secret.",
        example: 'client_secret_basic',
      }),
    jwks: z
      .unknown()
      .optional()
      .meta({ description: `With \`private_key_jwt\`: ${JWKS}` }),
    token_format: z.enum(['opaque', 'jwt']).optional().meta({ example: 'opaque' }),
    dpop_bound_access_tokens: dpopBound,
    token_exchange: tokenExchange,
  })
  .meta({ id: 'AddClientRequest' });

export const clientChange = z
  .object({
    scope: z.string().optional().meta({
      description: 'The whole of it. If it is less than before, all tokens die.',
      example: 'cookies:bake',
    }),
    resources,
    redirect_uris: redirectUris.meta({
      description: 'The whole list. If one is taken away, or the first one comes, all tokens die.',
    }),
    jwks: z
      .unknown()
      .optional()
      .meta({ description: `Of a client that has some, anew; its tokens live on: ${JWKS}` }),
    device_grant: deviceGrant.meta({
      description: 'If it is taken away, or makes a client act for people, all tokens die.',
      example: false,
    }),
    require_pushed_authorization_requests: requirePushed,
    dpop_bound_access_tokens: dpopBound,
    token_exchange: tokenExchange.meta({
      description: 'If it is taken away, all of its tokens die, and all in which it acts.',
      example: false,
    }),
    disabled: z
      .boolean()
      .optional()
      .meta({ description: 'True ends everything at once; false gives nothing back.', example: false }),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), reason('nothing_to_change'))
  .meta({ id: 'ClientChangeRequest' });

export type ClientItem = z.infer<typeof clientItem>;
export type ClientDetails = z.infer<typeof clientDetails>;
export type AddedClient = z.infer<typeof addedClient>;
export type AddedSecret = z.infer<typeof addedSecret>;
export type NewClientRequest = z.infer<typeof newClient>;
export type ClientChangeRequest = z.infer<typeof clientChange>;
