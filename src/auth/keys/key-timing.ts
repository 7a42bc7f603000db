import { LONGEST_ACCESS_TOKEN_TTL } from '../../config/settings.js';

/**
 * All waits within the publish wait, in seconds. A new key has to reach every verifier before it signs: an instance that
 * has not read it yet goes on serving the JWKS without it, and that answer is then cached:
 *
 *     reload (1/10, a minute at most) + cache (1/2) < publish wait
 */
interface PublishWait {
  readonly SIGNING_KEY_PUBLISH: number;
}

/** How often each instance reads the keys. */
export function reloadSeconds({ SIGNING_KEY_PUBLISH }: PublishWait): number {
  return Math.min(60, Math.floor(SIGNING_KEY_PUBLISH / 10));
}

/** How long verifiers may cache the JWKS. */
export function cacheSeconds({ SIGNING_KEY_PUBLISH }: PublishWait): number {
  return Math.floor(SIGNING_KEY_PUBLISH / 2);
}

/**
 * After its successor begins to sign, a key stays this long: the longest life of the last token that it can have signed,
 * whatever ACCESS_TOKEN_TTL was, and a day for clocks that differ.
 */
export const RETIREMENT_SECONDS = LONGEST_ACCESS_TOKEN_TTL + 86_400;
