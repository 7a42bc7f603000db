import type { TokenFormat } from '../tokens/token-format.js';
import type { PublicJwk } from './client-keys.js';
import type { Client } from './client.entity.js';

/** A system that gets tokens for itself, or an API that asks about them, or both. */
export interface ClientRecord {
  readonly clientId: string;
  readonly name: string;
  readonly scope: string;
  readonly audience: readonly string[];
  /** Undefined: of any API, as it was before there was a choice. */
  readonly resources: readonly string[] | undefined;
  /** Where answers to it may go: one that has any acts for people. */
  readonly redirectUris: readonly string[];
  /** Whether it has no secret. */
  readonly isPublic: boolean;
  /** Nobody here has added it, and nobody has checked what it says of itself. */
  readonly selfRegistered: boolean;
  /** The public keys with which it proves itself in place of a secret. */
  readonly jwks: readonly PublicJwk[] | undefined;
  readonly tokenFormat: TokenFormat;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

export interface NewClient {
  readonly name: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  /** Of which APIs beside its own it may ask tokens, as `resourceOf` reads them. */
  readonly resources: readonly string[];
  /** Where answers to it may go; with any it acts for people, and never for itself. */
  readonly redirectUris?: readonly string[];
  /** With any it gets no secret. */
  readonly jwks?: readonly PublicJwk[];
  readonly tokenFormat: TokenFormat;
}

/** The secret in clear, once. */
export interface NewSecret {
  readonly id: string;
  readonly clientSecret: string;
}

export interface ClientChange {
  /** Said by a client that registered itself. */
  readonly name?: string | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly redirectUris?: readonly string[] | undefined;
  /** Of one that has keys. */
  readonly jwks?: readonly PublicJwk[] | undefined;
  readonly disabled?: boolean | undefined;
}

/** Of the row, what may be shown. */
export function recordOf({
  clientId,
  name,
  scope,
  audience,
  resources,
  redirectUris,
  isPublic,
  selfRegistered,
  jwks,
  tokenFormat,
  disabledAt,
  createdAt,
}: Client): ClientRecord {
  const disabled = disabledAt !== null;
  return {
    clientId,
    name,
    scope,
    audience,
    resources: resources ?? undefined,
    redirectUris,
    isPublic,
    selfRegistered,
    jwks: jwks ?? undefined,
    tokenFormat,
    disabled,
    createdAt,
  };
}

/** How it authenticates; one with a secret may also send it in the form (RFC 7591 §2). */
export function authMethodOf({
  isPublic,
  jwks,
}: Pick<ClientRecord, 'isPublic' | 'jwks'>): 'none' | 'private_key_jwt' | 'client_secret_basic' {
  if (isPublic) return 'none';
  return jwks ? 'private_key_jwt' : 'client_secret_basic';
}
