import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { LONGEST_ACCESS_TOKEN_TTL } from '../../config/settings.js';
import { Clock } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { audit } from '../audit/audit-event.js';
import { ToldGuards } from '../leases/told-guards.js';
import { OPERATOR } from '../request-origin.js';
import { generateKey, type ALG } from './es256-key.js';
import { KeyCipher } from './key-cipher.js';
import { KeyRing, type Signer, type SigningKeyInMemory } from './key-ring.js';
import { cacheSeconds, RETIREMENT_SECONDS } from './key-timing.js';
import { ADD_SIGNING_KEY, LOCK_SIGNING_KEYS } from './signing-key.sql.js';
import type { Initiator } from '../audit/actor.js';

export interface Rotation {
  /** The key that signs next. */
  readonly kid: string;
  readonly signsFrom: Date;
  /** False if a rotation was under way already: then it is that one's key. */
  readonly added: boolean;
}

/** `published` waits for its time, `signing` is the newest whose time has come, `verifying` signs no more. */
export type KeyState = 'published' | 'signing' | 'verifying' | 'retired';

export interface ListedKey {
  readonly kid: string;
  readonly alg: typeof ALG;
  readonly state: KeyState;
  readonly signsFrom: Date;
  readonly retiresAt: Date | null;
}

interface NewKey {
  readonly event: 'key.added' | 'key.rotated' | 'key.replaced';
  /** Times are milliseconds since the epoch. */
  readonly signsFrom: number;
  /** No key is added if there is one that signs from later than this. */
  readonly unlessAfter: number | null;
  readonly predecessorsRetireAt: number | null;
}

const AUTHORITY: Initiator = { actor: 'keks', origin: OPERATOR };
/**
 * Owns the life of signing keys: published at once, signing after the publish wait, retired when the last token that
 * they can have signed is over. Each step is one conditional statement under a lock, so any number of instances may
 * take it at once. How keys are spelled and kept in memory belongs to others.
 */
@Injectable()
export class SigningKeys {
  private beginning: Promise<void> | undefined;

  constructor(
    private readonly told: ToldGuards,
    private readonly ring: KeyRing,
    private readonly cipher: KeyCipher,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The key to sign with. If there is none, it is made. If the signing key is encrypted under a SECRET_KEY that is not here,
   * no other key signs in its place: verifiers would not know that key, and the operator has to learn of the fault.
   * @param until when the token will expire: milliseconds since the epoch
   * @throws Unavailable
   */
  async signer(until: number): Promise<Signer> {
    // an instance that was cut off from the database for longer could sign with a key that others have retired meanwhile
    await this.ring.refresh(cacheSeconds(this.config) * 1_000);
    if (!this.ring.signer(until)) await this.begin();
    const key = this.ring.signer(until);
    if (!key) throw new Unavailable('there is no key to sign with');
    if (!canSign(key))
      throw new Unavailable('the signing key is encrypted under a SECRET_KEY that is not here');
    return key;
  }

  /**
   * The next key is published now and signs after the publish wait.
   * With `compromised` it signs at once and all others are retired: every JWT of theirs is dead, here when each instance
   * has read its keys anew (a minute at most), for guards with a lease when this resolves, elsewhere when the caches of the JWKS have expired.
   * @throws Unavailable
   */
  async rotate({ actor, origin }: Initiator, { compromised = false } = {}): Promise<Rotation> {
    const now = this.clock.now();
    const kid = await this.add(compromised ? replacement(now) : this.successor(now), { actor, origin });
    await this.ring.reload();
    const newest = this.ring.find(kid ?? '') ?? this.ring.published().at(-1);
    if (!newest) throw new Unavailable('the signing keys changed while they were rotated');
    return { kid: newest.kid, signsFrom: new Date(newest.signsFrom), added: kid !== undefined };
  }

  /** Every key in the table, the earliest first. @throws Unavailable */
  async list(): Promise<ListedKey[]> {
    await this.ring.reload();
    const now = this.clock.now();
    const signing = this.ring.published().findLast((key) => key.signsFrom <= now);
    return this.ring.all().map((key) => ({
      kid: key.kid,
      alg: key.publicJwk.alg,
      state: stateOf(key, signing, now),
      signsFrom: new Date(key.signsFrom),
      retiresAt: key.retiresAt === Infinity ? null : new Date(key.retiresAt),
    }));
  }

  /** Adds what is due now: a first key, or the next one. @throws Unavailable */
  async rotateIfDue(): Promise<void> {
    const now = this.clock.now();
    if (!this.ring.signer(longestFrom(now))) return this.begin();
    const { SIGNING_KEY_PUBLISH: wait, SIGNING_KEY_TTL: life } = this.config;
    const unlessAfter = now + (wait - life) * 1_000;
    if (this.ring.published().some((key) => key.signsFrom > unlessAfter)) return;
    await this.add({ ...this.successor(now), unlessAfter }, AUTHORITY);
    await this.ring.reload();
  }

  /** Shared by all who find that there is no key to sign with. */
  private begin(): Promise<void> {
    this.beginning ??= this.addFirst().finally(() => (this.beginning = undefined));
    return this.beginning;
  }

  /** Signs at once: there is no older key that verifiers could know instead. */
  private async addFirst(): Promise<void> {
    const now = this.clock.now();
    const first = { event: 'key.added', signsFrom: now, unlessAfter: 0, predecessorsRetireAt: null } as const;
    const useless = this.ring.all().filter((key) => key.retiresAt < longestFrom(now));
    await this.add(
      first,
      AUTHORITY,
      useless.map((key) => key.kid),
    );
    await this.ring.reload();
  }

  private successor(now: number): NewKey {
    const signsFrom = now + this.config.SIGNING_KEY_PUBLISH * 1_000;
    return {
      event: 'key.rotated',
      signsFrom,
      unlessAfter: now,
      predecessorsRetireAt: signsFrom + RETIREMENT_SECONDS * 1_000,
    };
  }

  /** @returns the `kid`, or undefined if there was such a key already */
  private async add(
    key: NewKey,
    { actor, origin }: Initiator,
    notCounting: string[] = [],
  ): Promise<string | undefined> {
    const { publicJwk, privateKey } = generateKey();
    const { kid } = publicJwk;
    return this.told.transaction(async (queries) => {
      await queries.run(LOCK_SIGNING_KEYS);
      const [added] = await queries.run<{ predecessors: string[] }>(ADD_SIGNING_KEY, [
        kid,
        this.cipher.seal(privateKey, kid),
        JSON.stringify(publicJwk),
        new Date(key.signsFrom),
        new Date(this.clock.now()),
        dateOrNull(key.unlessAfter),
        notCounting,
        dateOrNull(key.predecessorsRetireAt),
      ]);
      if (!added) return undefined;
      const detail = { kid, signs_from: new Date(key.signsFrom), predecessors: added.predecessors };
      await audit(queries, this.clock, { type: key.event, origin, actor, detail });
      return kid;
    });
  }
}

function canSign(key: SigningKeyInMemory): key is Signer {
  return key.signer !== undefined;
}

function stateOf(key: SigningKeyInMemory, signing: SigningKeyInMemory | undefined, now: number): KeyState {
  if (key.retiresAt <= now) return 'retired';
  if (key.signsFrom > now) return 'published';
  return key === signing ? 'signing' : 'verifying';
}

/** When the last token that is signed now can expire: milliseconds since the epoch. */
function longestFrom(now: number): number {
  return now + LONGEST_ACCESS_TOKEN_TTL * 1_000;
}

function replacement(now: number): NewKey {
  return { event: 'key.replaced', signsFrom: now, unlessAfter: null, predecessorsRetireAt: now };
}

function dateOrNull(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
