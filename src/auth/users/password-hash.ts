import { Inject, Injectable, Logger } from '@nestjs/common';
import { compare, genSaltSync, hash } from 'bcrypt';
import { createHmac, randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';
import { type Pepper, pepper, NO_SALT } from '../secrets/pepper-id.js';
import { readImported } from './imported-hash.js';

const WARNINGS_MOST = 16;
/** The pepper of a hash that another system made. */
const NO_PEPPER = 'none';
const FORMAT = /^keks1\$([0-9a-f]{8})\$(\$2b\$(\d\d)\$.{53})$/;

/**
 * Work for the login lane: a call outside of the lane can starve everything else.
 *
 * `keks1$<pepper id>$<bcrypt(base64(HMAC-SHA-384(password, pepper)))>`: 64 characters go into bcrypt, so nothing is cut at 72
 * bytes, and without the pepper a stolen table is of no use. The tag in front lets parameters change. An imported hash is
 * `keks0$<bcrypt(password)>` until its user has logged in.
 */
@Injectable()
export class PasswordHash {
  private readonly logger = new Logger('passwords');
  private readonly peppers: readonly [Pepper, ...Pepper[]];
  /** Nobody's hash, which takes as long to compare as a real one: it has the highest cost met so far. */
  private dummy: string;
  /** What was warned of already. Each warning comes once, so that an attacker cannot fill the log. */
  private readonly warned = new Set<string>();

  constructor(@Inject(CONFIG) private readonly config: SecretKeysConfig & Pick<Config, 'BCRYPT_COST'>) {
    const [making, ...previous] = acceptedSecrets(config);
    this.peppers = [pepper(making), ...previous.map(pepper)];
    this.dummy = this.nobodys(config.BCRYPT_COST);
  }

  async make(password: string): Promise<string> {
    const [current] = this.peppers;
    const bcrypted = await hash(peppered(password, current), this.config.BCRYPT_COST);
    return `keks1$${current.id}$${bcrypted}`;
  }

  /**
   * Takes the same time whether the user exists or not: without a stored hash it compares a dummy with the same parameters,
   * and for a hash of lower cost it does the missing work as well. A hash that cannot be checked here is refused like a wrong
   * password, after the same work; anything else would tell that the user exists.
   */
  async matches(password: string, stored: string | undefined): Promise<boolean> {
    const parts = partsOf(stored ?? this.dummy);
    const cost = parts?.cost ?? costOf(this.dummy);
    if (cost > costOf(this.dummy)) this.dummy = this.nobodys(cost);
    const found = this.peppers.find((one) => one.id === parts?.pepper);
    const checkable = found !== undefined || parts?.pepper === NO_PEPPER;
    if (!checkable) this.warn(parts?.pepper);
    const { bcrypted = '' } = parts ?? partsOf(this.dummy) ?? {};
    const input = parts?.pepper === NO_PEPPER ? password : peppered(password, found ?? this.peppers[0]);
    const same = await compare(input, bcrypted);
    if (same && checkable && stored !== undefined) return true;
    await this.makeUpFrom(cost);
    return false;
  }

  /** Of somebody who is refused with the right password: so much more work that it tells nothing. */
  makeUpFor(stored: string): Promise<void> {
    return this.makeUpFrom(costOf(stored));
  }

  /** 2^c and once more 2^c, 2^(c+1), ... up to below 2^d are together 2^d. */
  private async makeUpFrom(cost: number): Promise<void> {
    for (let each = cost; each < costOf(this.dummy); each += 1)
      await compare('', partsOf(this.nobodys(each))?.bcrypted ?? '');
  }

  /** A hash that no password matches, with today's parameters. Its user needs a new password. */
  unusable(): string {
    const cost = String(this.config.BCRYPT_COST).padStart(2, '0');
    return `keks1$${this.peppers[0].id}$$2b$${cost}$${NO_SALT}${randomBytes(16).toString('hex').slice(1)}`;
  }

  /**
   * True when the cost has risen or the pepper has changed since `stored` was made: then hash again while the password is at
   * hand. A higher cost stays, because two instances with different settings would otherwise change it back and forth.
   */
  isOutdated(stored: string): boolean {
    return partsOf(stored)?.pepper !== this.peppers[0].id || costOf(stored) < this.config.BCRYPT_COST;
  }

  /** True when another key than SECRET_KEY is needed to check it. */
  isOfAnotherKey(stored: string): boolean {
    const pepper = partsOf(stored)?.pepper;
    return pepper !== this.peppers[0].id && pepper !== NO_PEPPER;
  }

  /** Made without hashing, because every start would have to wait for it. */
  private nobodys(cost: number): string {
    return `keks1$${this.peppers[0].id}$${genSaltSync(cost)}${randomBytes(16).toString('hex').slice(1)}`;
  }

  private warn(id: string | undefined): void {
    const what =
      id === undefined ? 'of an unknown form' : `under a SECRET_KEY that is not here (pepper ${id})`;
    if (this.warned.has(what) || this.warned.size >= WARNINGS_MOST) return;
    this.warned.add(what);
    this.logger.warn(`somebody was refused whose password hash is ${what}: see "keks doctor"`);
  }
}

interface Parts {
  /** The id of the pepper, or `NO_PEPPER`. */
  readonly pepper: string;
  readonly bcrypted: string;
  readonly cost: number;
}

function partsOf(stored: string): Parts | undefined {
  const imported = readImported(stored);
  if (imported) return { pepper: NO_PEPPER, ...imported };
  const [, pepper, bcrypted, digits] = FORMAT.exec(stored) ?? [];
  if (pepper === undefined || bcrypted === undefined) return undefined;
  return { pepper, bcrypted, cost: Number(digits) };
}

function costOf(stored: string): number {
  return partsOf(stored)?.cost ?? 0;
}

function peppered(password: string, { key }: Pepper): string {
  return createHmac('sha384', key).update(password, 'utf8').digest('base64');
}
