import { z } from 'zod';

/** The wire shapes of the well-known documents. */

const proofAlgorithms = z.array(z.string()).meta({
  description: 'How a DPoP proof may be signed (RFC 9449 §5.1).',
  example: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
});

const secretMethods = z
  .array(z.string())
  .meta({ example: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] });

const signingAlgs = z.array(z.string()).meta({
  description: 'What a client may sign with that authenticates with `private_key_jwt`.',
  example: ['ES256', 'EdDSA', 'PS256', 'RS256'],
});

export const authorizationServerMetadata = z
  .object({
    issuer: z.url().meta({ example: 'https://auth.example.com' }),
    authorization_endpoint: z.url().meta({ example: 'https://auth.example.com/oauth/authorize' }),
    token_endpoint: z.url().meta({ example: 'https://auth.example.com/oauth/token' }),
    device_authorization_endpoint: z
      .url()
      .meta({ example: 'https://auth.example.com/oauth/device_authorization' }),
    pushed_authorization_request_endpoint: z.url().meta({ example: 'https://auth.example.com/oauth/par' }),
    require_pushed_authorization_requests: z.boolean().meta({
      description: 'Of everybody. Single clients may have to: an administrator says so.',
      example: false,
    }),
    introspection_endpoint: z.url().meta({ example: 'https://auth.example.com/oauth/introspect' }),
    revocation_endpoint: z.url().meta({ example: 'https://auth.example.com/oauth/revoke' }),
    keks_revocation_feed_endpoint: z.url().meta({
      description: 'For guards that check JWTs alone and refuse what was taken back: not a part of RFC 8414.',
      example: 'https://auth.example.com/oauth/revocations',
    }),
    registration_endpoint: z.url().optional().meta({
      description: 'There if clients may register themselves.',
      example: 'https://auth.example.com/oauth/register',
    }),
    jwks_uri: z.url().meta({ example: 'https://auth.example.com/.well-known/jwks.json' }),
    scopes_supported: z.array(z.string()).meta({ example: ['cookies:eat', 'offline_access'] }),
    response_types_supported: z.array(z.string()).meta({ example: ['code'] }),
    response_modes_supported: z.array(z.string()).meta({ example: ['query', 'form_post'] }),
    grant_types_supported: z
      .array(z.string())
      .meta({ example: ['authorization_code', 'client_credentials', 'refresh_token'] }),
    code_challenge_methods_supported: z.array(z.string()).meta({ example: ['S256'] }),
    client_id_metadata_document_supported: z.boolean().optional().meta({
      description: 'There if the HTTPS address of its metadata may be a `client_id`.',
      example: true,
    }),
    authorization_response_iss_parameter_supported: z.literal(true),
    dpop_signing_alg_values_supported: proofAlgorithms,
    token_endpoint_auth_methods_supported: z.array(z.string()).meta({
      description: '`none` is for clients without a secret, and for the refresh tokens of people.',
      example: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    }),
    token_endpoint_auth_signing_alg_values_supported: signingAlgs,
    introspection_endpoint_auth_methods_supported: secretMethods,
    introspection_endpoint_auth_signing_alg_values_supported: signingAlgs,
    revocation_endpoint_auth_methods_supported: z
      .array(z.string())
      .meta({ example: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] }),
    revocation_endpoint_auth_signing_alg_values_supported: signingAlgs,
  })
  .meta({ id: 'AuthorizationServerMetadata' });

export const protectedResourceMetadata = z
  .object({
    resource: z.url().meta({ example: 'https://api.example.com' }),
    authorization_servers: z.array(z.url()).meta({ example: ['https://auth.example.com'] }),
    scopes_supported: z.array(z.string()).meta({ example: ['cookies:eat'] }),
    bearer_methods_supported: z.array(z.string()).meta({ example: ['header'] }),
    dpop_signing_alg_values_supported: proofAlgorithms,
    dpop_bound_access_tokens_required: z.boolean(),
  })
  .meta({ id: 'ProtectedResourceMetadata' });

const publicJwk = z
  .object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string().meta({ example: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU' }),
    y: z.string().meta({ example: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' }),
    kid: z.string().meta({ example: 'I05JqH9cp1Q2qgIqF03P48G7x5IzwNJdRHbTjYk76wo' }),
    use: z.literal('sig'),
    alg: z.literal('ES256'),
  })
  .meta({ id: 'PublicJwk' });

export const jwks = z.object({ keys: z.array(publicJwk) }).meta({ id: 'Jwks' });

export type AuthorizationServerMetadata = z.infer<typeof authorizationServerMetadata>;
export type ProtectedResourceMetadata = z.infer<typeof protectedResourceMetadata>;
export type Jwks = z.infer<typeof jwks>;
