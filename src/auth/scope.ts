/** Scopes: space-separated, case-sensitive, each without quote, backslash and control characters (RFC 6749 §3.3). */

/** What every user may do beside the scope that was granted: look after the own account. */
export const ACCOUNT_SCOPE = 'keks:account';
export const ADMIN_SCOPE = 'keks:admin';
/** A request for a refresh token, not a permission. */
export const OFFLINE_ACCESS = 'offline_access';

/** Scopes of the authority itself: over accounts, over everybody, over what comes. */
const AUTHORITYS_OWN = /^(?:keks|keys):/;

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** @returns each scope once, in the order given; undefined if one is malformed. Empty text is no scope at all. */
export function parseScope(text: string): string[] | undefined {
  if (text === '') return [];
  const scopes = text.split(' ');
  if (scopes.length > 100 || !scopes.every((scope) => SCOPE_TOKEN.test(scope))) return undefined;
  return [...new Set(scopes)];
}

/** What a user can be given. The account's own scope everybody has; a request for a refresh token is no permission. */
export function isGrantable(scope: string): boolean {
  return SCOPE_TOKEN.test(scope) && scope !== ACCOUNT_SCOPE && scope !== OFFLINE_ACCESS;
}

/** @returns `wanted` if all of it is in `granted`, else undefined: a scope is refused, never silently narrowed */
export function subset(wanted: readonly string[], granted: readonly string[]): readonly string[] | undefined {
  return wanted.every((scope) => granted.includes(scope)) ? wanted : undefined;
}

/** What of it a token for another API can have: with more, that API could act for its caller here. */
export function scopeElsewhere(scope: readonly string[]): string[] {
  return scope.filter((one) => !AUTHORITYS_OWN.test(one));
}

/** What of it an API key can have: nothing of the authority's own, whoever makes it and whatever the table says. */
export function scopeOfApiKey(scope: readonly string[]): string[] {
  return scope.filter((one) => !AUTHORITYS_OWN.test(one));
}

/** All that a user may ask for. */
export function scopeOfUser(granted: string): string[] {
  return [...(parseScope(granted) ?? []), ACCOUNT_SCOPE];
}
