import { WireError } from '../../http/errors/wire-error.js';
import { clientFlaw } from '../clients/client-flaw.js';
import { readJwks } from '../clients/client-keys.js';
import type { NewClient } from '../clients/client-record.js';
import { parseScope } from '../scope.js';
import type { AuthMethod, RegistrationRequest } from './registration.schemas.js';

/** A client that registers itself, as it will be stored. */
export interface ClientMetadata {
  readonly client: NewClient;
  readonly authMethod: AuthMethod;
  readonly grantTypes: readonly string[];
}

/** What the operator lets self-registered clients have. */
export interface Allowed {
  readonly REGISTRATION_SCOPE: readonly string[] | undefined;
  readonly REGISTRATION_RESOURCES: readonly string[] | undefined;
}

const BY_DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const GRANT_TYPES = ['authorization_code', 'refresh_token', BY_DEVICE];
const NO_NAME = 'Unnamed client';

/**
 * RFC 7591 §2: an absent member gets a default, and an unknown member is ignored. Entries of lists and scopes that are
 * not offered are left out. The answer tells what was registered.
 * @throws WireError invalid_redirect_uri, invalid_client_metadata
 */
export function readMetadata(said: RegistrationRequest, allowed: Allowed): ClientMetadata {
  const {
    token_endpoint_auth_method: authMethod = 'client_secret_basic',
    grant_types: grantTypes = ['authorization_code'],
    response_types: responseTypes = ['code'],
    client_name: name = NO_NAME,
    require_pushed_authorization_requests: requirePushed = false,
    dpop_bound_access_tokens: dpopBound = false,
    scope,
    jwks,
  } = said;
  const byCode = grantTypes.includes('authorization_code');
  const deviceGrant = grantTypes.includes(BY_DEVICE);
  if (!said.redirect_uris?.length && (byCode || !deviceGrant))
    throw WireError.because('bad_redirects', 'redirect_uris');
  if (!byCode && !deviceGrant) throw invalid('grant_types');
  if (byCode && !responseTypes.includes('code')) throw invalid('response_types');
  const keys = authMethod === 'private_key_jwt' ? readJwks(jwks) : undefined;
  if (authMethod === 'private_key_jwt' && !keys) throw invalid('jwks');
  const client: NewClient = {
    name,
    ...(keys && { jwks: keys }),
    // redirect addresses are only for codes
    redirectUris: byCode ? (said.redirect_uris ?? []) : [],
    deviceGrant,
    requirePushed,
    dpopBound,
    scope: scopeOf(scope, allowed.REGISTRATION_SCOPE ?? []),
    audience: [],
    resources: allowed.REGISTRATION_RESOURCES ?? [],
    tokenFormat: 'opaque',
  };
  const flaw = clientFlaw(client);
  if (flaw === 'redirect_uris_invalid') throw WireError.because('bad_redirects', 'redirect_uris');
  if (flaw) throw invalid('client_name');
  return { client, authMethod, grantTypes: GRANT_TYPES.filter((one) => grantTypes.includes(one)) };
}

function scopeOf(text: string | undefined, most: readonly string[]): readonly string[] {
  if (text === undefined) return most;
  const wanted = parseScope(text);
  if (!wanted) throw invalid('scope');
  const given = wanted.filter((one) => most.includes(one));
  if (given.length > 0) return given;
  // `offline_access` alone names no scope, so the client gets all
  if (wanted.every((one) => one === 'offline_access')) return most;
  throw WireError.because('no_such_scope', 'scope');
}

function invalid(parameter: string): WireError {
  return WireError.because('bad_metadata', parameter);
}
