import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { NOTE_MAKING, NOTE_REFUSED, READ_SECRET_KEYS, type SecretKeyRow } from './secret-key.sql.js';
import { acceptedSecrets, secretKeyId, type SecretKeysConfig } from './secret-keys.js';
import { pepperId } from './pepper-id.js';

/** If no instance has noted a key for this long, none makes anything with it: each notes its own once a minute. */
export const MAKES_FOR_MS = 5 * 60_000;
/**
 * If another key is in use, a new one takes nothing over for this long: every instance first has the time to say that it does
 * not accept the new one.
 */
export const SETTLES_IN_MS = 3 * 60_000;

/**
 * Knows which keys the instances of this database use, and since when. Things move from an old key to the newest one only;
 * otherwise two instances in the middle of a rotation would move them back and forth.
 */
@Injectable()
export class SecretKeyRegister {
  private readonly logger = new Logger('keys');
  private readonly making: readonly [keyId: string, pepperId: string];
  private readonly accepted: readonly string[];
  private readonly warned = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) config: SecretKeysConfig,
  ) {
    const secrets = acceptedSecrets(config);
    this.making = [secretKeyId(secrets[0]), pepperId(secrets[0])];
    this.accepted = secrets.map(secretKeyId);
  }

  /** Notes that this instance uses its key. @returns whether things under another key may move to it @throws Unavailable */
  async moves(): Promise<boolean> {
    const now = this.clock.now();
    await this.database.run(NOTE_MAKING, [...this.making, new Date(now), new Date(now - MAKES_FOR_MS)]);
    const rows = await this.database.run<SecretKeyRow>(READ_SECRET_KEYS);
    const making = rows.filter((row) => makes(row, now));
    await this.refuse(making.filter(({ key_id: id }) => !this.accepted.includes(id)));
    return isSettled(this.making[0], making, now);
  }

  private async refuse(strangers: readonly SecretKeyRow[]): Promise<void> {
    if (strangers.length === 0) return;
    const ids = strangers.map((row) => row.key_id);
    for (const id of ids.filter((one) => !this.warned.has(one))) {
      this.warned.add(id);
      this.logger.warn(
        `another instance makes with key ${id}, which is not accepted here: put it into SECRET_KEY_PREVIOUS`,
      );
    }
    await this.database.run(NOTE_REFUSED, [ids, new Date(this.clock.now())]);
  }
}

/** Whether an instance has noted it of late. */
export function makes(row: Pick<SecretKeyRow, 'last_made_at'>, now: number): boolean {
  return row.last_made_at.getTime() > now - MAKES_FOR_MS;
}

/** Whether an instance has refused it of late. */
export function isRefused({ refused_at: at }: Pick<SecretKeyRow, 'refused_at'>, now: number): boolean {
  return at !== null && at.getTime() > now - MAKES_FOR_MS;
}

/** @param making the keys in use, the newest last */
function isSettled(keyId: string, making: readonly SecretKeyRow[], now: number): boolean {
  const own = making.at(-1);
  if (own?.key_id !== keyId || isRefused(own, now)) return false;
  return making.length === 1 || own.makes_since.getTime() <= now - SETTLES_IN_MS;
}
