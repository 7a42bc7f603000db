import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { INSERT_AUDIT_EVENT, auditValues } from '../audit/audit-event.js';
import { NEWEST, type Position, type Positioned } from '../cursor.js';
import { revokeGrantsOfClient } from '../grants/grant-revocation.js';
import { parseScope, subset } from '../scope.js';
import { digestOf, mintToken, NO_EXPIRY, type TokenFormat } from '../tokens/token-format.js';
import { Telemetry } from '../telemetry.js';
import { TokenKeys } from '../tokens/token-keys.js';
import * as sql from './clients.sql.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';

/** A system that gets tokens for itself, or an API that asks about them, or both. */
export interface ClientRecord {
  readonly clientId: string;
  readonly name: string;
  readonly scope: string;
  readonly audience: readonly string[];
  readonly tokenFormat: TokenFormat;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

export interface NewClient {
  readonly name: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly tokenFormat: TokenFormat;
}

/** The secret in clear, once. */
export interface NewSecret {
  readonly id: string;
  readonly clientSecret: string;
}

export interface ClientChange {
  readonly scope?: readonly string[] | undefined;
  readonly disabled?: boolean | undefined;
}

/** So many secrets of a client live at once: the one in use, and the one that is being rolled out. */
export const SECRETS_MOST = 2;

/** Owns clients and their secrets; never their tokens. */
@Injectable()
export class ClientsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: TokenKeys,
    private readonly telemetry: Telemetry,
  ) {}

  async add(client: NewClient, by: Initiator): Promise<ClientRecord & NewSecret> {
    const clientId = `c-${randomBytes(12).toString('hex')}`;
    return this.database.transaction(async (queries) => {
      const { name, scope, audience, tokenFormat } = client;
      const [row] = await queries.run<sql.ClientRow>(sql.ADD_CLIENT, [
        ...[clientId, name, scope.join(' '), audience, tokenFormat],
      ]);
      if (!row) throw new Error('INSERT ... RETURNING gave no row');
      const secret = await this.insertSecret(queries, clientId);
      await this.audit(queries, 'client.added', by, row, { scope: row.scope, audience });
      return { ...recordOf(row), ...secret };
    });
  }

  async list(): Promise<ClientRecord[]> {
    return (await this.database.run<sql.ClientRow>(sql.LIST_CLIENTS)).map(recordOf);
  }

  /** Newest first. */
  async page(after: Position = NEWEST, count: number): Promise<(ClientRecord & Positioned)[]> {
    const rows = await this.database.run<sql.ListedClientRow>(sql.LIST_PAGE, [...after, count]);
    return rows.map((row) => ({ ...recordOf(row), position: row.position }));
  }

  async find(clientId: string): Promise<ClientRecord | undefined> {
    const [row] = await this.database.run<sql.ClientRow>(sql.FIND_CLIENT, [clientId]);
    return row && recordOf(row);
  }

  async secrets(clientId: string): Promise<sql.SecretRow[]> {
    return this.database.run<sql.SecretRow>(sql.LIST_SECRETS, [clientId]);
  }

  /** A new secret beside the one in use. */
  async addSecret(clientId: string, by: Initiator): Promise<NewSecret | { flaw: 'unknown' | 'too_many' }> {
    return this.locked(clientId, async (queries, row) => {
      const living = await queries.run<sql.SecretRow>(sql.LIST_SECRETS, [clientId]);
      if (living.length >= SECRETS_MOST) return { flaw: 'too_many' };
      const secret = await this.insertSecret(queries, clientId);
      await this.audit(queries, 'client.secret_added', by, row, { secret_id: secret.id });
      return secret;
    });
  }

  /** Takes secrets back: one, or all but the newest. The tokens got with them live on. @returns how many there were */
  async retireSecrets(clientId: string, which: { id: string } | 'old', by: Initiator): Promise<number> {
    const retired = await this.locked(clientId, async (queries, row) => {
      const living = await queries.run<sql.SecretRow>(sql.LIST_SECRETS, [clientId]);
      const doomed = which === 'old' ? living.slice(1).map(({ id }) => id) : [which.id];
      const gone = await queries.run<sql.SecretRow>(sql.RETIRE_SECRETS, [clientId, doomed]);
      for (const { id } of gone)
        await this.audit(queries, 'client.secret_retired', by, row, { secret_id: id });
      return gone.length;
    });
    return typeof retired === 'number' ? retired : 0;
  }

  /**
   * Disabling revokes all of the client's grants in the same transaction, and so does taking scope away; enabling gives
   * none of them back.
   */
  async change(clientId: string, change: ClientChange, by: Initiator): Promise<ClientRecord | undefined> {
    let ended = 0;
    const changed = await this.locked(clientId, async (queries, before) => {
      const scope = change.scope?.join(' ') ?? before.scope;
      const now = new Date(this.clock.now());
      const disabledAt =
        change.disabled === undefined
          ? before.disabled_at
          : change.disabled
            ? (before.disabled_at ?? now)
            : null;
      const [row] = await queries.run<sql.ClientRow>(sql.UPDATE_CLIENT, [clientId, scope, disabledAt]);
      if (!row) return { flaw: 'unknown' as const };
      if (change.disabled)
        ended = await revokeGrantsOfClient(queries, this.clock, clientId, 'client_disabled', by);
      else if (isNarrower(scope, before.scope))
        ended = await revokeGrantsOfClient(queries, this.clock, clientId, 'scope_changed', by);
      const type =
        change.disabled === undefined
          ? 'client.changed'
          : `client.${change.disabled ? 'disabled' : 'enabled'}`;
      await this.audit(queries, type, by, row, { scope });
      return recordOf(row);
    });
    this.telemetry.revoked('grant', ended);
    return 'flaw' in changed ? undefined : changed;
  }

  /** All of a client's tokens, at once. @returns undefined if there is no such client */
  async revokeAll(clientId: string, by: Initiator): Promise<number | undefined> {
    const revoked = await this.locked(clientId, async (queries, row) => {
      const count = await revokeGrantsOfClient(queries, this.clock, clientId, 'client_revoked', by);
      await this.audit(queries, 'client.revoked', by, row, { grants: count });
      return count;
    });
    if (typeof revoked !== 'number') return undefined;
    this.telemetry.revoked('grant', revoked);
    return revoked;
  }

  /** RFC 8707: is this the audience of anybody? */
  async isAudience(resource: string): Promise<boolean> {
    return (await this.database.run(sql.IS_AUDIENCE, [resource])).length > 0;
  }

  private async locked<T>(
    clientId: string,
    work: (queries: Queries, row: sql.ClientRow) => Promise<T>,
  ): Promise<T | { flaw: 'unknown' }> {
    return this.database.transaction(async (queries) => {
      const [row] = await queries.run<sql.ClientRow>(sql.LOCK_CLIENT, [clientId]);
      return row ? work(queries, row) : { flaw: 'unknown' };
    });
  }

  private async insertSecret(queries: Queries, clientId: string): Promise<NewSecret> {
    const { current } = this.keys;
    const clientSecret = mintToken('kcs_', NO_EXPIRY, current);
    const values = [clientId, digestOf(clientSecret), new Date(this.clock.now()), current.keyId];
    const [row] = await queries.run<sql.SecretRow>(sql.ADD_SECRET, values);
    if (!row) throw new Error('INSERT ... RETURNING gave no row');
    return { id: row.id, clientSecret };
  }

  private async audit(
    queries: Queries,
    type: string,
    by: Initiator,
    row: sql.ClientRow,
    detail: object,
  ): Promise<void> {
    const event = { type, ...by, detail: { client_id: row.client_id, name: row.name, ...detail } };
    await queries.run(INSERT_AUDIT_EVENT, auditValues(this.clock, event));
  }
}

function isNarrower(scope: string, before: string): boolean {
  return !subset(parseScope(before) ?? [], parseScope(scope) ?? []);
}

function recordOf(row: sql.ClientRow): ClientRecord {
  return {
    clientId: row.client_id,
    name: row.name,
    scope: row.scope,
    audience: row.audience,
    tokenFormat: row.token_format,
    disabled: row.disabled_at !== null,
    createdAt: row.created_at,
  };
}
