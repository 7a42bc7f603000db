import { DPOP_ALGORITHMS } from 'keks-guard/internals';
import type { Config } from '../../config/config.js';
import { ASSERTION_ALGS } from '../clients/client-keys.js';
import { OFFLINE_ACCESS } from '../scope.js';
import type { AuthorizationServerMetadata, ProtectedResourceMetadata } from './discovery.schemas.js';

type MetadataConfig = Pick<Config, 'ISSUER' | 'REGISTRATION' | 'CLIENT_METADATA_DOCUMENTS'>;

/**
 * RFC 8414 §2, RFC 9207 §3. `none` is for clients without a secret, and for the refresh tokens of people's own logins.
 * @param scopes the scopes that the served routes ask for
 * @param exchange whether any client may exchange tokens (RFC 8693)
 */
export function authorizationServerMetadata(
  { ISSUER: issuer, REGISTRATION, CLIENT_METADATA_DOCUMENTS }: MetadataConfig,
  { scopes, exchange }: { readonly scopes: readonly string[]; readonly exchange: boolean },
): AuthorizationServerMetadata {
  const secrets = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
  const algs = [...ASSERTION_ALGS];
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
    pushed_authorization_request_endpoint: `${issuer}/oauth/par`,
    require_pushed_authorization_requests: false,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    keks_revocation_feed_endpoint: `${issuer}/oauth/revocations`,
    ...(REGISTRATION !== 'off' && { registration_endpoint: `${issuer}/oauth/register` }),
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    scopes_supported: [...scopes, OFFLINE_ACCESS],
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: [
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      ...(exchange ? ['urn:ietf:params:oauth:grant-type:token-exchange'] : []),
    ],
    code_challenge_methods_supported: ['S256'],
    ...(CLIENT_METADATA_DOCUMENTS && { client_id_metadata_document_supported: true }),
    authorization_response_iss_parameter_supported: true,
    dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
    token_endpoint_auth_methods_supported: [...secrets, 'none'],
    token_endpoint_auth_signing_alg_values_supported: algs,
    introspection_endpoint_auth_methods_supported: secrets,
    introspection_endpoint_auth_signing_alg_values_supported: algs,
    revocation_endpoint_auth_methods_supported: [...secrets, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: algs,
  };
}

/**
 * RFC 9728 §2.
 * @param resource the audience as configured, letter by letter: clients compare it with the URL that they asked
 */
export function protectedResourceMetadata(
  resource: string,
  issuer: string,
  scopes: readonly string[],
): ProtectedResourceMetadata {
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: [...scopes],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
    dpop_bound_access_tokens_required: false,
  };
}
