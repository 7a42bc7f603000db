import { Inject, Injectable } from '@nestjs/common';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { derivedKey } from '../secrets/derived-key.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

const ALGORITHM = 'aes-256-gcm';
const ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface EncryptionKey {
  readonly id: Buffer;
  readonly key: Buffer;
}

/**
 * Private keys at rest, and what else has to be read again:
 *
 *     4 bytes id of the secret | 12 bytes nonce | ciphertext | 16 bytes tag        associated data: whose it is, as the `kid`
 *
 * The id tells which of the keys it was, the associated data that no row has been given another's.
 */
@Injectable()
export class KeyCipher {
  private readonly current: EncryptionKey;
  private readonly all: readonly EncryptionKey[];

  constructor(@Inject(CONFIG) config: SecretKeysConfig) {
    const [making, ...previous] = acceptedSecrets(config);
    this.current = encryptionKey(making);
    this.all = [this.current, ...previous.map(encryptionKey)];
  }

  seal(plaintext: Buffer, whose: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.current.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(whose));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([this.current.id, nonce, ciphertext, cipher.getAuthTag()]);
  }

  /** @returns undefined for what no secret opens, and for what was altered or moved to another row */
  open(sealed: Buffer, whose: string): Buffer | undefined {
    if (sealed.length < ID_BYTES + NONCE_BYTES + TAG_BYTES) return undefined;
    for (const key of this.all) {
      const opened = key.id.equals(sealed.subarray(0, ID_BYTES)) ? openedBy(key, sealed, whose) : undefined;
      if (opened) return opened;
    }
    return undefined;
  }

  /** False if another key has sealed it. */
  isCurrent(sealed: Buffer): boolean {
    return this.current.id.equals(sealed.subarray(0, ID_BYTES));
  }
}

function openedBy(key: EncryptionKey, sealed: Buffer, whose: string): Buffer | undefined {
  const nonce = sealed.subarray(ID_BYTES, ID_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key.key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(whose)).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const ciphertext = sealed.subarray(ID_BYTES + NONCE_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return undefined;
  }
}

function encryptionKey(secret: Buffer): EncryptionKey {
  return { id: derivedKey(secret, 'key-id', ID_BYTES), key: derivedKey(secret, 'key-encryption') };
}
