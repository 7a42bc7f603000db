import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { ArrayContains, In, Repository, type EntityManager } from 'typeorm';
import { Clock } from '../../database/clock.js';
import type { Transaction } from '../../database/database.js';
import { INSERT_AUDIT_EVENT, auditValues } from '../audit/audit-event.js';
import { NEWEST, type Position, type Positioned } from '../lists/cursors.js';
import { revokeGrantsOfClient } from '../grants/grant-revocation.js';
import { newestFirst } from '../lists/newest-first.js';
import { digestOf, mintToken, NO_EXPIRY, type TokenFormat } from '../tokens/token-format.js';
import { ToldGuards } from '../leases/told-guards.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { TokenKeys } from '../tokens/token-keys.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import { ClientSecret } from './client-secret.entity.js';
import { Client } from './client.entity.js';
import { lossOf } from './client-loss.js';

/** A system that gets tokens for itself, or an API that asks about them, or both. */
export interface ClientRecord {
  readonly clientId: string;
  readonly name: string;
  readonly scope: string;
  readonly audience: readonly string[];
  /** Undefined: of any API, as it was before there was a choice. */
  readonly resources: readonly string[] | undefined;
  readonly tokenFormat: TokenFormat;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

export interface NewClient {
  readonly name: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  /** Of which APIs beside its own it may ask tokens. */
  readonly resources: readonly string[];
  readonly tokenFormat: TokenFormat;
}

/** The secret in clear, once. */
export interface NewSecret {
  readonly id: string;
  readonly clientSecret: string;
}

export interface ClientChange {
  readonly scope?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly disabled?: boolean | undefined;
}

/** So many secrets of a client live at once: the one in use, and the one that is being rolled out. */
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

  async add(
    { scope, audience, resources, ...rest }: NewClient,
    by: Initiator,
  ): Promise<ClientRecord & NewSecret> {
    const clientId = `c-${randomBytes(12).toString('hex')}`;
    return this.told.transaction(async (transaction) => {
      const client = this.clients.create({
        ...rest,
        clientId,
        scope: scope.join(' '),
        audience: [...audience],
        resources: [...resources],
        disabledAt: null,
      });
      await transaction.entities.insert(Client, client);
      const secret = await this.insertSecret(transaction.entities, clientId);
      await this.audit(transaction, 'client.added', by, client, { scope: client.scope, audience, resources });
      return { ...recordOf(client), ...secret };
    });
  }

  async list(): Promise<ClientRecord[]> {
    return (await this.clients.find({ order: { createdAt: 'ASC', id: 'ASC' } })).map(recordOf);
  }

  /** Newest first. */
  async page(after: Position = NEWEST, count: number): Promise<(ClientRecord & Positioned)[]> {
    const clients = await newestFirst(this.clients, after, count);
    return clients.map((client) => ({ ...recordOf(client), position: client.position }));
  }

  async find(clientId: string): Promise<ClientRecord | undefined> {
    const client = await this.clients.findOneBy({ clientId });
    return client ? recordOf(client) : undefined;
  }

  /** Newest first. */
  secrets(clientId: string, entities: EntityManager = this.clients.manager): Promise<ClientSecret[]> {
    return entities.find(ClientSecret, { where: { clientId }, order: { createdAt: 'DESC', id: 'ASC' } });
  }

  /** A new secret beside the one in use. */
  async addSecret(clientId: string, by: Initiator): Promise<NewSecret | { flaw: 'unknown' | 'too_many' }> {
    return this.locked(clientId, async (transaction, client) => {
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
   * Disabling revokes all of the client's grants in the same transaction, and so does taking scope or an API away; enabling
   * gives none of them back.
   */
  async change(clientId: string, change: ClientChange, by: Initiator): Promise<ClientRecord | undefined> {
    let ended = 0;
    const changed = await this.locked(clientId, async (transaction, client) => {
      const before = { ...client };
      client.scope = change.scope?.join(' ') ?? before.scope;
      client.resources = change.resources ? [...change.resources] : before.resources;
      if (change.disabled !== undefined)
        client.disabledAt = change.disabled ? (client.disabledAt ?? new Date(this.clock.now())) : null;
      const { scope, resources, disabledAt } = client;
      await transaction.entities.update(Client, { clientId }, { scope, resources, disabledAt });
      const reason = change.disabled ? 'client_disabled' : lossOf(before, client);
      if (reason) ended = await revokeGrantsOfClient(transaction, this.clock, clientId, reason, by);
      const type =
        change.disabled === undefined
          ? 'client.changed'
          : `client.${change.disabled ? 'disabled' : 'enabled'}`;
      await this.audit(transaction, type, by, client, { scope, ...(resources && { resources }) });
      return recordOf(client);
    });
    this.telemetry.revoked('grant', ended);
    return 'flaw' in changed ? undefined : changed;
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

  /** RFC 8707: whether this is an API that somebody is, and of which this client may ask tokens. Its own it always may. */
  async mayReach(clientId: string, resource: string): Promise<boolean> {
    const client = await this.clients.findOneBy({ clientId });
    if (client?.audience.includes(resource)) return true;
    if (!client || client.resources?.includes(resource) === false) return false;
    return this.clients.existsBy({ audience: ArrayContains([resource]) });
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

  private async insertSecret(entities: EntityManager, clientId: string): Promise<NewSecret> {
    const { current } = this.keys;
    const clientSecret = mintToken('kcs_', NO_EXPIRY, current);
    const secret = entities.create(ClientSecret, {
      clientId,
      digest: digestOf(clientSecret),
      createdAt: new Date(this.clock.now()),
      keyId: current.keyId,
    });
    await entities.insert(ClientSecret, secret);
    return { id: secret.id, clientSecret };
  }

  private async audit(
    queries: Queries,
    type: string,
    by: Initiator,
    { clientId, name }: Client,
    detail: object,
  ): Promise<void> {
    const event = { type, ...by, detail: { client_id: clientId, name, ...detail } };
    await queries.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
  }
}

function recordOf({
  clientId,
  name,
  scope,
  audience,
  resources,
  tokenFormat,
  disabledAt,
  createdAt,
}: Client): ClientRecord {
  const disabled = disabledAt !== null;
  return {
    clientId,
    name,
    scope,
    audience,
    resources: resources ?? undefined,
    tokenFormat,
    disabled,
    createdAt,
  };
}
