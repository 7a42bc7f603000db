import { Inject, Injectable } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

/** How long a page may be looked at before its form is sent. */
const SECONDS = 600;

/** What a form is about, and for whom it was made. */
export interface FormSubject {
  readonly form:
    'login' | 'consent' | 'signed-in' | 'sign-out' | 'device-login' | 'device-code' | 'device-consent';
  /** What only this browser has: a form that another site sends has not got it. */
  readonly browser: string;
  /** The authorization request. */
  readonly request: string;
}

export type ProofFlaw = 'forged' | 'expired';

/** Proves that a form that comes in is one that this browser was shown, a while ago and for this very request. */
@Injectable()
export class FormProof {
  private readonly keys: readonly Buffer[];

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) config: SecretKeysConfig,
  ) {
    this.keys = acceptedSecrets(config).map((secret) => derivedKey(secret, 'form-proof'));
  }

  make(subject: FormSubject): string {
    const madeAt = String(this.clock.seconds());
    return `${madeAt}.${mac(this.keys[0] ?? Buffer.alloc(0), madeAt, subject).toString('base64url')}`;
  }

  flawOf(proof: string, subject: FormSubject): ProofFlaw | undefined {
    const [madeAt = '', text = ''] = proof.split('.', 2);
    const given = Buffer.from(text, 'base64url');
    const genuine = this.keys.some((key) => {
      const expected = mac(key, madeAt, subject);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!genuine) return 'forged';
    return this.clock.seconds() - Number(madeAt) > SECONDS ? 'expired' : undefined;
  }
}

function mac(key: Buffer, madeAt: string, { form, browser, request }: FormSubject): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([madeAt, form, browser, request]))
    .digest();
}
