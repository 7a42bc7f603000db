import type { Config } from '../../config/config.js';
import { derivedKey } from './derived-key.js';

export type SecretKeysConfig = Pick<Config, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>;

/**
 * SECRET_KEY, with which everything new is made, and then the keys of SECRET_KEY_PREVIOUS, which are only accepted. Each key
 * appears once, so that all instances may have the same list while they change over.
 */
export function acceptedSecrets(config: SecretKeysConfig): readonly [Buffer, ...Buffer[]] {
  const { SECRET_KEY: making, SECRET_KEY_PREVIOUS: listed = [] } = config;
  const previous = listed.filter(
    (one, at) => !one.equals(making) && listed.findIndex((other) => other.equals(one)) === at,
  );
  return [making, ...previous];
}

/**
 * The name of a key in the database and for operators, from which nobody can learn the key. Its first byte is in opaque
 * tokens.
 */
export function secretKeyId(secret: Buffer): string {
  return derivedKey(secret, 'key-id', 4).toString('hex');
}
