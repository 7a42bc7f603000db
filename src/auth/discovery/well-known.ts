import type { Challenge } from 'keks-guard';
import type { Config } from '../../config/config.js';

/** The names of well-known addresses (RFC 8615); the standard of each registers its name. */
export type WellKnown = 'oauth-authorization-server' | 'oauth-protected-resource';

/**
 * A URL whose path means the same to every router and proxy. No segment is empty, `.` or `..`, and no slash ends the
 * path: Keks's own router would remove that slash.
 */
const PLAIN_URL = /^https?:\/\/[^/?#\s\\@]+(?:\/|(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)*)$/i;

/**
 * The well-known part goes between host and path (RFC 8414 §3.1, RFC 9728 §3.1).
 * @param url http or https, without query and fragment
 */
export function wellKnownPath(name: WellKnown, url: string): string {
  const { pathname } = new URL(url);
  return `/.well-known/${name}${pathname === '/' ? '' : pathname}`;
}

/**
 * The address of a protected resource's metadata: an absolute URL.
 * @returns undefined if the audience is no URL from which the address can be derived
 */
export function resourceMetadataUrl(audience: string): string | undefined {
  if (!PLAIN_URL.test(audience) || !URL.canParse(audience)) return undefined;
  return new URL(audience).origin + wellKnownPath('oauth-protected-resource', audience);
}

/** The parameters of every challenge of the authority's own API (RFC 6750 §3, RFC 9728 §5.1). */
export function resourceChallenge({ REALM, AUDIENCE }: Pick<Config, 'REALM' | 'AUDIENCE'>): Challenge {
  return { realm: REALM, resourceMetadata: resourceMetadataUrl(AUDIENCE) };
}
