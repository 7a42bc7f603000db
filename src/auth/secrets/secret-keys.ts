import type { Config } from '../../config/config.js';
import { derivedKey } from './derived-key.js';

export type SecretKeysConfig = Pick<Config, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>;

/**
 * SECRET_KEY, which makes, and then those of SECRET_KEY_PREVIOUS, which are accepted and make nothing. Each once, so that
 * all instances may have the same list while they change over.
 */
export function acceptedSecrets(config: SecretKeysConfig): readonly [Buffer, ...Buffer[]] {
  const { SECRET_KEY: making, SECRET_KEY_PREVIOUS: listed = [] } = config;
  const previous = listed.filter(
    (one, at) => !one.equals(making) && listed.findIndex((other) => other.equals(one)) === at,
  );
  return [making, ...previous];
}

/** What names a key in the database and to operators, and tells nothing of it. Its first byte stands in opaque tokens. */
export function secretKeyId(secret: Buffer): string {
  return derivedKey(secret, 'key-id', 4).toString('hex');
}
