import { Inject, Injectable } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

/** How many seconds a page may stay open before its form is sent. */
const SECONDS = 600;

/** Which form it is, and for which browser and request it was made. */
export interface FormSubject {
  readonly form:
    'login' | 'consent' | 'signed-in' | 'sign-out' | 'device-login' | 'device-code' | 'device-consent';
  /** A value that only this browser has. Another site that sends a form does not have it. */
  readonly browser: string;
  /** What the form is about: the authorization request, or the user code of a device. */
  readonly request: string;
}

export type ProofFlaw = 'forged' | 'expired';

/** Proves that this browser was shown the form for this very request, at most 10 minutes ago. */
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
