/** What is found at well-known addresses (RFC 8615), each registered by its own standard. */
export type WellKnown = 'oauth-authorization-server' | 'oauth-protected-resource';

/** Segments that mean the same to every router and proxy, without one that is empty or climbs. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)*\/?$/;

/**
 * The well-known part goes between host and path (RFC 8414 §3.1, RFC 9728 §3.1).
 * @param url http or https, without query and fragment
 */
export function wellKnownPath(name: WellKnown, url: string): string {
  const { pathname } = new URL(url);
  return `/.well-known/${name}${pathname === '/' ? '' : pathname}`;
}

/**
 * Where the metadata of a protected resource is: an absolute URL.
 * @returns undefined for an audience that is no URL from which it could be derived: RFC 9728 §1.2 wants one without
 *   fragment, and one with a query would need a document of its own a query
 */
export function resourceMetadataUrl(audience: string): string | undefined {
  if (!URL.canParse(audience) || /[?#\s\\]/.test(audience)) return undefined;
  const { protocol, origin, pathname, username, password } = new URL(audience);
  if (!['https:', 'http:'].includes(protocol) || username || password || !PLAIN_PATH.test(pathname))
    return undefined;
  return origin + wellKnownPath('oauth-protected-resource', audience);
}
