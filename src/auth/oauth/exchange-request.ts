import { WireError } from '../../http/errors/wire-error.js';
import type { TokenFormat } from '../tokens/token-format.js';
import type { TokenRequest } from './oauth.schemas.js';

/** RFC 8693 §3. Every access token of Keks is of the first type; a JWT is of both types. */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';

export type TokenType = typeof ACCESS_TOKEN | typeof JWT;

export interface TypedToken {
  readonly token: string;
  readonly type: TokenType;
}

export interface ExchangeRequest {
  readonly subject: TypedToken;
  readonly actor: TypedToken | undefined;
  readonly requestedType: TokenType | undefined;
  /** Undefined: no API is named. */
  readonly target: string | undefined;
  readonly scope: string | undefined;
  /** Thumbprint of the key of the request's proof. */
  readonly jkt: string | undefined;
}

/** RFC 8693 §2.1. @throws WireError invalid_request, invalid_target */
export function readExchange(request: TokenRequest): ExchangeRequest {
  const { resource, audience, scope, jkt } = request;
  const subject = typed(request, 'subject_token', 'subject_token_type');
  if (!subject) throw WireError.because('missing', 'subject_token');
  // a token is for one API
  if (resource !== undefined && audience !== undefined && resource !== audience)
    throw WireError.because('two_targets', 'audience');
  return {
    subject,
    actor: typed(request, 'actor_token', 'actor_token_type'),
    requestedType: typeOf(request, 'requested_token_type'),
    target: resource ?? audience,
    scope,
    jkt,
  };
}

/** Whether a token of this format is of the type that the request names. `access_token` allows every format. */
export function isOfType(format: TokenFormat, type: TokenType): boolean {
  return type === ACCESS_TOKEN || format === 'jwt';
}

function typed(
  request: TokenRequest,
  name: 'subject_token' | 'actor_token',
  typeName: 'subject_token_type' | 'actor_token_type',
): TypedToken | undefined {
  const { [name]: token } = request;
  const type = typeOf(request, typeName);
  if (token === undefined) {
    if (type !== undefined && name === 'actor_token') throw WireError.because('missing', name);
    return undefined;
  }
  if (type === undefined) throw WireError.because('missing', typeName);
  return { token, type };
}

function typeOf(
  request: TokenRequest,
  name: 'subject_token_type' | 'actor_token_type' | 'requested_token_type',
): TokenType | undefined {
  const { [name]: type } = request;
  if (type === undefined || type === ACCESS_TOKEN || type === JWT) return type;
  throw WireError.because('not_listed', name);
}
