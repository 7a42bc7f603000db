import type { Challenge } from 'keks-guard';
import type { Config } from '../../config/config.js';

/** What is found at well-known addresses (RFC 8615), each registered by its own standard. */
export type WellKnown = 'oauth-authorization-server' | 'oauth-protected-resource';

/**
 * A path of segments that mean the same to every router and proxy: none is empty or climbs, and no slash ends them, which
 * ours would take off.
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
 * Where the metadata of a protected resource is: an absolute URL.
 * @returns undefined for an audience that is no URL from which it could be derived
 */
export function resourceMetadataUrl(audience: string): string | undefined {
  if (!PLAIN_URL.test(audience) || !URL.canParse(audience)) return undefined;
  return new URL(audience).origin + wellKnownPath('oauth-protected-resource', audience);
}

/** What every challenge of the authority's own API says (RFC 6750 §3, RFC 9728 §5.1). */
export function resourceChallenge({ REALM, AUDIENCE }: Pick<Config, 'REALM' | 'AUDIENCE'>): Challenge {
  return { realm: REALM, resourceMetadata: resourceMetadataUrl(AUDIENCE) };
}
