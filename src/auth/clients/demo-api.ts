import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import { OPERATOR } from '../request-origin.js';
import { derivedKey } from '../secrets/derived-key.js';
import { digestOf, mintToken, NO_EXPIRY } from '../tokens/token-format.js';
import { TokenKeys } from '../tokens/token-keys.js';
import { Client, ClientSecret } from './client.entity.js';
import { auditClient, insertClient } from './client-writes.js';

const ID_BYTES = 12;
const SECRET_BYTES = 22;
const NAME = 'the API with a lease, of the story';
const LOCK: Statement = { name: 'lock_demo_api', text: 'SELECT pg_advisory_xact_lock(hashtext($1))' };

/**
 * Owns the client as which the API of the story asks, the one whose guard holds a lease. Whoever has SECRET_KEY makes the same one,
 * so all processes share it and it is kept nowhere.
 */
@Injectable()
export class DemoApi {
  constructor(
    private readonly database: Database,
    private readonly keys: TokenKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Makes the client when it is first wanted. One that somebody has disabled stays so. @throws Unavailable */
  async credentials(): Promise<{ readonly clientId: string; readonly clientSecret: string }> {
    const bytes = derivedKey(this.config.SECRET_KEY, 'demo-api', ID_BYTES + SECRET_BYTES);
    const clientId = `c-${bytes.toString('hex', 0, ID_BYTES)}`;
    const clientSecret = mintToken(
      'kcs_',
      NO_EXPIRY,
      this.keys.current,
      Buffer.from(bytes.subarray(ID_BYTES)),
    );
    await this.database.transaction(async (transaction) => {
      const { entities } = transaction;
      // processes that are asked at once make it once
      await transaction.run(LOCK, [clientId]);
      if (await entities.existsBy(Client, { clientId })) return;
      const { AUDIENCE } = this.config;
      const wanted = {
        name: NAME,
        scope: [],
        audience: [AUDIENCE],
        resources: [],
        tokenFormat: 'opaque',
      } as const;
      const of = { clientId, isPublic: false, selfRegistered: false };
      const client = await insertClient(entities, wanted, of);
      const { keyId } = this.keys.current;
      const secret = {
        clientId,
        digest: digestOf(clientSecret),
        createdAt: new Date(this.clock.now()),
        keyId,
      };
      await entities.insert(ClientSecret, entities.create(ClientSecret, secret));
      const event = { type: 'client.added', by: { actor: 'operator', origin: OPERATOR }, client };
      await auditClient(transaction, this.clock, { ...event, detail: { audience: client.audience } });
    });
    return { clientId, clientSecret };
  }
}
