import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { createHash } from 'node:crypto';
import { IsNull, Repository } from 'typeorm';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import { judgeClaims, readAssertion } from './client-assertion.js';
import { isSignedBy } from './client-keys.js';
import { Client } from './client.entity.js';

/** By hand, with ON CONFLICT: if the same assertion comes many times at once, on any instance, one of them is the first. */
const USE: Statement = {
  name: 'use_client_assertion',
  text: `
    INSERT INTO client_assertions (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1 AS first`,
};

/** Owns that a client proves itself with its own key, and each proof counts once (RFC 7523). */
@Injectable()
export class ClientAssertions {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectRepository(Client) private readonly clients: Repository<Client>,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns undefined unless it proves that it comes from this client, now, and for the first time @throws Unavailable */
  async verify(clientId: string, text: string): Promise<Client | undefined> {
    const assertion = readAssertion(text);
    if (assertion?.clientId !== clientId) return undefined;
    const { ISSUER } = this.config;
    // RFC 9126 §2: each of them
    const us = [ISSUER, `${ISSUER}/oauth/token`, `${ISSUER}/oauth/par`];
    const judged = judgeClaims(assertion, us, this.clock.seconds());
    if (!judged) return undefined;
    const client = await this.clients.findOneBy({ clientId, disabledAt: IsNull() });
    if (!client?.jwks || !isSignedBy(client.jwks, assertion)) return undefined;
    const digest = createHash('sha256')
      .update(JSON.stringify([clientId, judged.jti]))
      .digest();
    const rows = await this.database.run(USE, [digest, timestamp(judged.expiresAt)]);
    return rows.length > 0 ? client : undefined;
  }
}
