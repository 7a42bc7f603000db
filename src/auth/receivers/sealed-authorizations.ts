import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { KeyCipher } from '../keys/key-cipher.js';
import { SecretKeyRegister } from '../secrets/secret-key-register.js';
import { READ_SEALED, RESEAL_AUTHORIZATION, type SealedRow } from './receivers.sql.js';

/** Owns the stored `Authorization` values of receivers: encrypted like private keys, each bound to its receiver. */
@Injectable()
export class SealedAuthorizations {
  constructor(
    private readonly database: Database,
    private readonly cipher: KeyCipher,
    private readonly secretKeys: SecretKeyRegister,
  ) {}

  seal(receiverId: string, authorization: string): Buffer {
    return this.cipher.seal(Buffer.from(authorization), boundTo(receiverId));
  }

  /** @returns undefined if no SECRET_KEY of this process opens it */
  open(receiverId: string, sealed: Buffer): string | undefined {
    return this.cipher.open(sealed, boundTo(receiverId))?.toString();
  }

  /** Encrypts old values again with the current SECRET_KEY, as for private keys. @throws Unavailable */
  async reseal(): Promise<void> {
    const rows = await this.database.run<SealedRow>(READ_SEALED);
    const old = rows.filter(({ sealed }) => !this.cipher.isCurrent(sealed));
    if (old.length === 0 || !(await this.secretKeys.moves())) return;
    for (const { id, sealed } of old) {
      const plaintext = this.open(id, sealed);
      if (plaintext !== undefined)
        await this.database.run(RESEAL_AUTHORIZATION, [id, this.seal(id, plaintext), sealed]);
    }
  }
}

function boundTo(receiverId: string): string {
  return `receiver ${receiverId}`;
}
