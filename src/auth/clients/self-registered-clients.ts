import { Inject, Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import type { Transaction } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import { revokeGrantsOfClient } from '../grants/grant-revocation.js';
import { Grant } from '../grants/grant.entity.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { TokenKeys } from '../tokens/token-keys.js';
import { recordOf, type ClientRecord, type NewClient, type NewSecret } from './client-record.js';
import { Client, ClientSecret } from './client.entity.js';
import { auditClient, insertClient, insertSecret, newClientId } from './client-writes.js';

/** One registration at a time, so that each counts all clients that are there. */
const IN_TURN: Statement = {
  name: 'register_in_turn',
  text: `SELECT pg_advisory_xact_lock(${0x4b_45_4b_52})`,
};

export type RegisteredClient = ClientRecord & Partial<NewSecret>;

export interface Registering {
  readonly client: NewClient;
  readonly isPublic: boolean;
  /** The address of its metadata, if that is its name. */
  readonly clientId?: string;
  readonly origin: RequestOrigin;
  /** In the same transaction, once the client is there. @returns what the audit log says beside the client */
  readonly also: (transaction: Transaction, clientId: string) => Promise<object>;
}

/** Owns clients that nobody here has added: limits their number, and removes them. */
@Injectable()
export class SelfRegisteredClients {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly keys: TokenKeys,
    private readonly telemetry: Telemetry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns `full` if there are as many as there may be, `there` if its name is taken */
  add({
    client: given,
    isPublic,
    origin,
    also,
    ...named
  }: Registering): Promise<RegisteredClient | 'full' | 'there'> {
    const { clientId = newClientId() } = named;
    return this.told.database.transaction(async (transaction) => {
      const { entities } = transaction;
      await transaction.run(IN_TURN);
      const there = await entities.countBy(Client, { selfRegistered: true, disabledAt: IsNull() });
      if (there >= this.config.MAX_REGISTERED_CLIENTS) return 'full';
      if (await entities.existsBy(Client, { clientId })) return 'there';
      const client = await insertClient(entities, given, { clientId, isPublic, selfRegistered: true });
      const { redirectUris, deviceGrant, dpopBound, jwks } = client;
      const secret = isPublic || jwks ? {} : await insertSecret(entities, clientId, this.making);
      const detail = {
        ...{ scope: client.scope, redirect_uris: redirectUris, device_grant: deviceGrant, public: isPublic },
        ...(dpopBound && { dpop_bound_access_tokens: true }),
      };
      const more = await also(transaction, clientId);
      const by = { actor: `client:${clientId}`, origin };
      await auditClient(transaction, this.clock, {
        ...{ type: 'client.registered', by, client },
        detail: { ...detail, ...more },
      });
      return { ...recordOf(client), ...secret };
    });
  }

  /** Ends all of its grants and removes it. @returns false if it is not there, or was added by an operator */
  async remove(clientId: string, origin: RequestOrigin): Promise<boolean> {
    const by = { actor: `client:${clientId}`, origin };
    const ended = await this.told.transaction(async (transaction) => {
      const { entities } = transaction;
      const where = { clientId, selfRegistered: true };
      const client = await entities.findOne(Client, { where, lock: { mode: 'pessimistic_write' } });
      if (!client) return undefined;
      const count = await revokeGrantsOfClient(transaction, this.clock, clientId, 'client_removed', by);
      await auditClient(transaction, this.clock, { type: 'client.removed', by, client, detail: {} });
      const disabledAt = new Date(this.clock.now());
      // a client with a grant, living or not, stays until the grant is deleted: a late question finds out whose it was
      if (await entities.existsBy(Grant, { clientId })) {
        await entities.update(Client, { clientId }, { disabledAt });
      } else {
        await entities.delete(ClientSecret, { clientId });
        await entities.delete(Client, { clientId });
      }
      return count;
    });
    this.telemetry.revoked('grant', ended ?? 0);
    return ended !== undefined;
  }

  private get making(): { clock: Clock; keys: TokenKeys } {
    return { clock: this.clock, keys: this.keys };
  }
}
