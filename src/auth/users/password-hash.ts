import { Inject, Injectable } from '@nestjs/common';
import { compare, genSaltSync, hash } from 'bcrypt';
import { createHmac, randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../config.js';
import { derivedKey } from '../derived-key.js';

interface Pepper {
  readonly id: string;
  readonly key: Buffer;
}

const FORMAT = /^keks1\$([0-9a-f]{8})\$(\$2b\$(\d\d)\$.{53})$/;

/**
 * Work for the login lane: whoever calls this outside of it can starve the rest.
 *
 * `keks1$<pepper id>$<bcrypt(base64(HMAC-SHA-384(password, pepper)))>`: 64 characters go into bcrypt, so nothing is cut
 * at 72 bytes, and without the pepper a stolen table is of no use. The tag lets parameters move.
 */
@Injectable()
export class PasswordHash {
  private readonly peppers: readonly [Pepper, ...Pepper[]];
  private readonly dummy: string;

  constructor(
    @Inject(CONFIG)
    private readonly config: Pick<Config, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS' | 'BCRYPT_COST'>,
  ) {
    const previous = config.SECRET_KEY_PREVIOUS;
    this.peppers = [pepper(config.SECRET_KEY), ...(previous ? [pepper(previous)] : [])];
    // as long to compare as a real one, and nobody's; made without hashing, which every start would wait for
    this.dummy = `keks1$${this.peppers[0].id}$${genSaltSync(config.BCRYPT_COST)}${randomBytes(16).toString('hex').slice(1)}`;
  }

  async make(password: string): Promise<string> {
    const [current] = this.peppers;
    const bcrypted = await hash(peppered(password, current), this.config.BCRYPT_COST);
    return `keks1$${current.id}$${bcrypted}`;
  }

  /**
   * Takes as long for nobody's password as for somebody's: without a stored hash a dummy of the same parameters is
   * compared.
   */
  async matches(password: string, stored: string | undefined): Promise<boolean> {
    const parts = FORMAT.exec(stored ?? this.dummy);
    const found = parts && this.peppers.find((one) => one.id === parts[1]);
    if (!parts || !found)
      throw new Error('a stored password hash is of no known format or pepper: was SECRET_KEY changed?');
    const same = await compare(peppered(password, found), parts[2] ?? '');
    return same && stored !== undefined;
  }

  /** True when cost or pepper have moved since `stored` was made: hash again while the password is at hand. */
  isOutdated(stored: string): boolean {
    const parts = FORMAT.exec(stored);
    return parts?.[1] !== this.peppers[0].id || Number(parts[3]) !== this.config.BCRYPT_COST;
  }
}

/** Under which peppers stored hashes can be checked: the eight digits behind `keks1$`, the current one first. */
export function pepperIds(config: Pick<Config, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>): string[] {
  const secrets = [config.SECRET_KEY, config.SECRET_KEY_PREVIOUS];
  return secrets.filter((secret) => secret !== undefined).map((secret) => pepper(secret).id);
}

function pepper(secret: Buffer): Pepper {
  const key = derivedKey(secret, 'pepper', 48);
  return { key, id: createHmac('sha256', key).update('id').digest('hex').slice(0, 8) };
}

function peppered(password: string, { key }: Pepper): string {
  return createHmac('sha384', key).update(password, 'utf8').digest('base64');
}
