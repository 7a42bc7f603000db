import type { Config } from '../../config/config.js';
import type { Challenge } from '../../guard/bearer-error.js';
import { resourceMetadataUrl } from './well-known.js';

/** What every challenge of the authority's own API says (RFC 6750 §3, RFC 9728 §5.1). */
export function resourceChallenge({ REALM, AUDIENCE }: Pick<Config, 'REALM' | 'AUDIENCE'>): Challenge {
  return { realm: REALM, resourceMetadata: resourceMetadataUrl(AUDIENCE) };
}
