import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ArrayContains, In, IsNull, Repository, type EntityManager } from 'typeorm';
import { Clock } from '../../database/clock.js';
import type { Transaction } from '../../database/database.js';
import { NEWEST, type Position, type Positioned } from '../lists/cursors.js';
import { revokeGrantsOfClient } from '../grants/grant-revocation.js';
import { newestFirst } from '../lists/newest-first.js';
import { ToldGuards } from '../leases/told-guards.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { TokenKeys } from '../tokens/token-keys.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import { auditClient, insertClient, insertSecret, newClientId } from './client-writes.js';
import {
  isApp,
  recordOf,
  type ClientChange,
  type ClientRecord,
  type NewClient,
  type NewSecret,
} from './client-record.js';
import { Client, ClientSecret } from './client.entity.js';
import { changedClient } from './client-change.js';
import { appFlaw, type ClientFlaw } from './client-flaw.js';
import { lossOf } from './client-loss.js';
import { resourceOf, type Resource } from './resource.js';
import { parseScope } from '../scope.js';
import { isStorable } from '../storable.js';

export type { ClientRecord, NewClient, NewSecret };

/** A client has at most this many living secrets: the one in use, and the one that is being rolled out. */
export const SECRETS_MOST = 2;

/** Owns clients and their secrets; never their tokens. */
@Injectable()
export class ClientsService {
  constructor(
    private readonly told: ToldGuards,
    @InjectRepository(Client) private readonly clients: Repository<Client>,
    private readonly clock: Clock,
    private readonly keys: TokenKeys,
    private readonly telemetry: Telemetry,
  ) {}

  async add(client: NewClient, by: Initiator): Promise<ClientRecord & NewSecret> {
    return this.insert(client, false, by, (entities, id) => this.insertSecret(entities, id));
  }

  /** One that proves itself with a key of its own, and so gets no secret either. */
  async addWithKeys(client: NewClient, by: Initiator): Promise<ClientRecord> {
    return this.insert(client, false, by, () => Promise.resolve({}));
  }

  /** A program in other people's hands, which can keep no secret, and so gets none. */
  async addPublic(client: NewClient, by: Initiator): Promise<ClientRecord> {
    return this.insert(client, true, by, () => Promise.resolve({}));
  }

  private async insert<S extends object>(
    given: NewClient,
    isPublic: boolean,
    by: Initiator,
    secretOf: (entities: EntityManager, clientId: string) => Promise<S>,
  ): Promise<ClientRecord & S> {
    const clientId = newClientId();
    return this.told.transaction(async (transaction) => {
      const of = { clientId, isPublic, selfRegistered: false };
      const client = await insertClient(transaction.entities, given, of);
      const { audience, resources, redirectUris, deviceGrant, dpopBound, tokenExchange } = client;
      const secret = await secretOf(transaction.entities, clientId);
      await this.audit(transaction, 'client.added', by, client, {
        ...{ scope: client.scope, audience, resources },
        ...(isApp(client) && { redirect_uris: redirectUris, device_grant: deviceGrant, public: isPublic }),
        ...(dpopBound && { dpop_bound_access_tokens: true }),
        ...(tokenExchange && { token_exchange: true }),
      });
      return { ...recordOf(client), ...secret };
    });
  }

  /** All, newest first, so many at a time. */
  async *pages(size: number): AsyncGenerator<ClientRecord[]> {
    for (let page; page === undefined || page.length === size;) {
      page = await this.page(page?.at(-1)?.position, size);
      yield page;
    }
  }

  /** Newest first. */
  async page(after: Position = NEWEST, count: number): Promise<(ClientRecord & Positioned)[]> {
    const clients = await newestFirst(this.clients, after, count);
    return clients.map((client) => ({ ...recordOf(client), position: client.position }));
  }

  async find(clientId: string): Promise<ClientRecord | undefined> {
    const client = isStorable(clientId) ? await this.clients.findOneBy({ clientId }) : null;
    return client ? recordOf(client) : undefined;
  }

  /** Newest first. */
  secrets(clientId: string, entities: EntityManager = this.clients.manager): Promise<ClientSecret[]> {
    return entities.find(ClientSecret, { where: { clientId }, order: { createdAt: 'DESC', id: 'ASC' } });
  }

  hasSecret(clientId: string, digest: Buffer): Promise<boolean> {
    return this.clients.manager.existsBy(ClientSecret, { clientId, digest });
  }

  /** A new secret beside the one in use. */
  async addSecret(
    clientId: string,
    by: Initiator,
  ): Promise<NewSecret | { flaw: 'unknown' | 'too_many' | 'public' }> {
    return this.locked(clientId, async (transaction, client) => {
      if (client.isPublic || client.jwks) return { flaw: 'public' };
      const living = await this.secrets(clientId, transaction.entities);
      if (living.length >= SECRETS_MOST) return { flaw: 'too_many' };
      const secret = await this.insertSecret(transaction.entities, clientId);
      await this.audit(transaction, 'client.secret_added', by, client, { secret_id: secret.id });
      return secret;
    });
  }

  /** Takes secrets back: one, or all but the newest. The tokens got with them live on. @returns how many there were */
  async retireSecrets(clientId: string, which: { id: string } | 'old', by: Initiator): Promise<number> {
    const retired = await this.locked(clientId, async (transaction, client) => {
      const living = await this.secrets(clientId, transaction.entities);
      const doomed = which === 'old' ? living.slice(1) : living.filter(({ id }) => id === which.id);
      await transaction.entities.delete(ClientSecret, { clientId, id: In(doomed.map(({ id }) => id)) });
      for (const { id } of doomed)
        await this.audit(transaction, 'client.secret_retired', by, client, { secret_id: id });
      return doomed.length;
    });
    return typeof retired === 'number' ? retired : 0;
  }

  /**
   * Disabling revokes all of the client's grants in the same transaction, and so does taking scope, an API or a redirect
   * address away; enabling gives none of them back.
   * @returns undefined if there is no such client
   */
  async change(
    clientId: string,
    change: ClientChange,
    by: Initiator,
  ): Promise<ClientRecord | { flaw: ClientFlaw } | undefined> {
    let ended = 0;
    const changed = await this.locked(clientId, async (transaction, before) => {
      const { after, columns } = changedClient(before, change, new Date(this.clock.now()));
      const flaw = appFlaw({ ...after, scope: parseScope(after.scope) ?? [] });
      if (flaw) return { flaw };
      if (change.jwks && !before.jwks) return { flaw: 'jwks_invalid' as const };
      // of any API: nobody has said that this was meant for people's tokens, too
      if (after.tokenExchange && !after.resources) return { flaw: 'exchange_without_resources' as const };
      await transaction.entities.update(Client, { clientId }, columns);
      const reason = change.disabled ? 'client_disabled' : lossOf(before, after);
      if (reason) ended = await revokeGrantsOfClient(transaction, this.clock, clientId, reason, by);
      const type =
        change.disabled === undefined
          ? 'client.changed'
          : `client.${change.disabled ? 'disabled' : 'enabled'}`;
      const { scope, resources, redirectUris, deviceGrant, dpopBound, tokenExchange } = after;
      await this.audit(transaction, type, by, after, {
        scope,
        ...(resources && { resources }),
        ...(isApp(after) && { redirect_uris: redirectUris, device_grant: deviceGrant }),
        ...(dpopBound !== before.dpopBound && { dpop_bound_access_tokens: dpopBound }),
        ...(tokenExchange !== before.tokenExchange && { token_exchange: tokenExchange }),
      });
      return recordOf(after);
    });
    this.telemetry.revoked('grant', ended);
    return 'flaw' in changed && changed.flaw === 'unknown' ? undefined : changed;
  }

  /** All of a client's tokens, at once. @returns undefined if there is no such client */
  async revokeAll(clientId: string, by: Initiator): Promise<number | undefined> {
    const revoked = await this.locked(clientId, async (transaction, client) => {
      const count = await revokeGrantsOfClient(transaction, this.clock, clientId, 'client_revoked', by);
      await this.audit(transaction, 'client.revoked', by, client, { grants: count });
      return count;
    });
    if (typeof revoked !== 'number') return undefined;
    this.telemetry.revoked('grant', revoked);
    return revoked;
  }

  /**
   * RFC 8707: how this client may ask for tokens for an API. Some client has to be that API; for its own audience a client
   * always may.
   * @returns undefined if it may not
   */
  async reach(clientId: string, uri: string): Promise<Resource | undefined> {
    const client = await this.clients.findOneBy({ clientId });
    const anything = { uri, scope: undefined };
    if (client?.audience.includes(uri)) return anything;
    const resource = client?.resources
      ? client.resources.map(resourceOf).find((one) => one.uri === uri)
      : client && anything;
    return resource && (await this.isApi(uri)) ? resource : undefined;
  }

  /** Whether there is a client that may exchange tokens. */
  anyMayExchange(): Promise<boolean> {
    return this.clients.existsBy({ tokenExchange: true, disabledAt: IsNull() });
  }

  /** Whether some client is this API. */
  isApi(uri: string): Promise<boolean> {
    return this.clients.existsBy({ audience: ArrayContains([uri]) });
  }

  /** Under the lock of the client's row, which issuing takes FOR SHARE: everything about a client changes under it. */
  private async locked<T>(
    clientId: string,
    work: (transaction: Transaction, client: Client) => Promise<T>,
  ): Promise<T | { flaw: 'unknown' }> {
    return this.told.transaction(async (transaction) => {
      const lock = { mode: 'for_no_key_update' } as const;
      const client = await transaction.entities.findOne(Client, { where: { clientId }, lock });
      return client ? work(transaction, client) : { flaw: 'unknown' };
    });
  }

  private insertSecret(entities: EntityManager, clientId: string): Promise<NewSecret> {
    return insertSecret(entities, clientId, { clock: this.clock, keys: this.keys });
  }

  private async audit(
    queries: Queries,
    type: string,
    by: Initiator,
    client: Client,
    detail: object,
  ): Promise<void> {
    await auditClient(queries, this.clock, { type, by, client, detail });
  }
}
