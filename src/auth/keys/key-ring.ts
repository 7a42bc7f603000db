import { Injectable, Logger } from '@nestjs/common';
import type { JwtService } from '@nestjs/jwt';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { publicJwk, signerOf, verifierOf, type PublicJwk } from './es256-key.js';
import { KeyCipher } from './key-cipher.js';
import { SharedRun } from './shared-run.js';
import { SigningKey } from './signing-key.entity.js';

/** A key in memory. Times are milliseconds since the epoch. */
export interface SigningKeyInMemory {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  readonly verifier: JwtService;
  /** Undefined for a key that was sealed with a secret we do not have. */
  readonly signer: JwtService | undefined;
  /** As it stands in the database. */
  readonly sealed: Buffer;
  readonly signsFrom: number;
  readonly retiresAt: number;
}

/** A key that signs. */
export type Signer = SigningKeyInMemory & { readonly signer: JwtService };

/** Between two readings: however many unknown `kid`s come in, there are at most ten small queries a second. */
const PAUSE_MS = 100;

/** Owns the keys in memory: what this instance knows of the table, and how old that is. It changes nothing. */
@Injectable()
export class KeyRing {
  private readonly logger = new Logger('keys');
  private readonly reading = new SharedRun(() => this.read(), PAUSE_MS);
  private keys: ReadonlyMap<string, SigningKeyInMemory> = new Map();
  private readAt = -Infinity;

  constructor(
    @InjectRepository(SigningKey) private readonly stored: Repository<SigningKey>,
    private readonly cipher: KeyCipher,
    private readonly clock: Clock,
  ) {}

  find(kid: string): SigningKeyInMemory | undefined {
    return this.keys.get(kid);
  }

  /** In the order in which they begin to sign. */
  all(): SigningKeyInMemory[] {
    return [...this.keys.values()];
  }

  /** What stands in the JWKS: everything but the retired. */
  published(): SigningKeyInMemory[] {
    return this.all().filter((key) => !isRetired(key, this.clock));
  }

  /**
   * The newest key that may sign by now and that no token would outlive. If no key may sign yet, the first that will: there
   * is no older one that verifiers could know instead. It may be a key that this instance cannot open; then no other signs in
   * its place.
   * @param until milliseconds since the epoch
   */
  signer(until: number): SigningKeyInMemory | undefined {
    const lasting = this.all().filter((key) => key.retiresAt >= until);
    return lasting.findLast((key) => key.signsFrom <= this.clock.now()) ?? lasting[0];
  }

  /** Shared by all who ask meanwhile. @throws Unavailable */
  reload(): Promise<void> {
    return this.reading.ask();
  }

  /** Reloads what is older than `ageMs`. @throws Unavailable */
  async refresh(ageMs: number): Promise<void> {
    if (this.clock.now() - this.readAt > ageMs) await this.reload();
  }

  /** True once the table has been read. */
  get loaded(): boolean {
    return this.readAt !== -Infinity;
  }

  private async read(): Promise<void> {
    const readAt = this.clock.now();
    const stored = await this.stored.find({ order: { signsFrom: 'ASC', kid: 'ASC' } });
    this.keys = new Map(stored.map((key) => [key.kid, this.inMemory(key, this.keys.get(key.kid))]));
    this.readAt = readAt;
  }

  private inMemory(key: SigningKey, known: SigningKeyInMemory | undefined): SigningKeyInMemory {
    const jwk = known?.publicJwk ?? publicJwk(key.kid, key.publicJwk);
    return {
      kid: key.kid,
      publicJwk: jwk,
      verifier: known?.verifier ?? verifierOf(jwk),
      // kept, because an instance with a newer secret may have sealed it anew
      signer: known?.signer ?? this.unsealed(key, known),
      sealed: key.privateKey,
      signsFrom: key.signsFrom.getTime(),
      retiresAt: key.retiresAt?.getTime() ?? Infinity,
    };
  }

  private unsealed(
    { kid, privateKey: sealed }: SigningKey,
    known: SigningKeyInMemory | undefined,
  ): JwtService | undefined {
    const privateKey = this.cipher.open(sealed, kid);
    if (privateKey) return signerOf(privateKey, kid);
    if (!known?.sealed.equals(sealed))
      this.logger.warn(
        `signing key ${kid} is encrypted under a SECRET_KEY that is not here: see "keks doctor"`,
      );
    return undefined;
  }
}

export function isRetired({ retiresAt }: SigningKeyInMemory, clock: Clock): boolean {
  return retiresAt <= clock.now();
}
