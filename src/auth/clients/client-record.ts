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
  /** Whether people may let it in with a code that they type: it acts for people, too. */
  readonly deviceGrant: boolean;
  /** Whether it has to push its requests before it sends anybody. */
  readonly requirePushed: boolean;
  /** Whether it has no secret. */
  readonly isPublic: boolean;
  /** Nobody here has added it, and nobody has checked what it says of itself. */
  readonly selfRegistered: boolean;
  /** The public keys with which it proves itself in place of a secret. */
  readonly jwks: readonly PublicJwk[] | undefined;
  readonly tokenFormat: TokenFormat;
  /** Whether it gets only tokens that are bound to a key (RFC 9449 §5.2). */
  readonly dpopBound: boolean;
  /** Whether it may exchange tokens of others for tokens for another API (RFC 8693). */
  readonly tokenExchange: boolean;
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
  /** Whether it may ask for codes that people type on another device; with it, it acts for people, too. */
  readonly deviceGrant?: boolean;
  /** Whether it has to push its requests (RFC 9126). */
  readonly requirePushed?: boolean;
  /** With any it gets no secret. */
  readonly jwks?: readonly PublicJwk[];
  readonly tokenFormat: TokenFormat;
  readonly dpopBound?: boolean;
  /** Whether it may exchange tokens; one that acts for people cannot. */
  readonly tokenExchange?: boolean;
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
  readonly deviceGrant?: boolean | undefined;
  readonly requirePushed?: boolean | undefined;
  readonly dpopBound?: boolean | undefined;
  readonly tokenExchange?: boolean | undefined;
  /** Of one that has keys. */
  readonly jwks?: readonly PublicJwk[] | undefined;
  readonly disabled?: boolean | undefined;
}

/** Whether it acts for people, and so never for itself. */
export function isApp({
  redirectUris,
  deviceGrant,
}: Pick<ClientRecord, 'redirectUris' | 'deviceGrant'>): boolean {
  return redirectUris.length > 0 || deviceGrant;
}

/** Of the row, what may be shown. */
export function recordOf({
  clientId,
  name,
  scope,
  audience,
  resources,
  redirectUris,
  deviceGrant,
  requirePushed,
  isPublic,
  selfRegistered,
  jwks,
  tokenFormat,
  dpopBound,
  tokenExchange,
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
    deviceGrant,
    requirePushed,
    isPublic,
    selfRegistered,
    jwks: jwks ?? undefined,
    tokenFormat,
    dpopBound,
    tokenExchange,
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
