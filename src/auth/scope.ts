/** Scopes: space-separated, case-sensitive, each without quote, backslash and control characters (RFC 6749 §3.3). */

/** Every user has this scope in addition to the granted scope: it lets users manage their own account. */
export const ACCOUNT_SCOPE = 'keks:account';
export const ADMIN_SCOPE = 'keks:admin';
/** A request for a refresh token, not a permission. */
export const OFFLINE_ACCESS = 'offline_access';

/** Scopes of the authority itself, present and future: all with these prefixes. */
const AUTHORITYS_OWN = /^(?:keks|keys):/;

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/**
 * @returns each scope once, in the order given; undefined if one is malformed or there are over 100. Empty: no scope.
 */
export function parseScope(text: string): string[] | undefined {
  if (text === '') return [];
  const scopes = text.split(' ');
  if (scopes.length > 100 || !scopes.every((scope) => SCOPE_TOKEN.test(scope))) return undefined;
  return [...new Set(scopes)];
}

/** Whether a user can be given the scope. Everybody has ACCOUNT_SCOPE anyway; OFFLINE_ACCESS is no permission. */
export function isGrantable(scope: string): boolean {
  return SCOPE_TOKEN.test(scope) && scope !== ACCOUNT_SCOPE && scope !== OFFLINE_ACCESS;
}

/** Whether the scope is of the authority itself. No person can give such a scope to a program of somebody else. */
export function isAuthoritysOwn(scope: string): boolean {
  return AUTHORITYS_OWN.test(scope);
}

/** @returns `wanted` if all of it is in `granted`, else undefined: a scope is refused, never silently narrowed */
export function subset(wanted: readonly string[], granted: readonly string[]): readonly string[] | undefined {
  return wanted.every((scope) => granted.includes(scope)) ? wanted : undefined;
}

/** The part of a scope that a token for another API can have. With the rest, that API could act for its caller here. */
export function scopeElsewhere(scope: readonly string[]): string[] {
  return scope.filter((one) => !AUTHORITYS_OWN.test(one));
}

/**
 * The part of a scope that an API key can have: no scope of the authority's own, whoever makes the key and whatever the
 * table says.
 */
export function scopeOfApiKey(scope: readonly string[]): string[] {
  return scope.filter((one) => !isAuthoritysOwn(one));
}

/** All scopes that a user may ask for. */
export function scopeOfUser(granted: string): string[] {
  return [...(parseScope(granted) ?? []), ACCOUNT_SCOPE];
}
