import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { networkOf } from '../../http/network.js';
import { RequestedAccess } from '../authorize/requested-access.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { parseScope, subset } from '../scope.js';
import { digestOf } from '../tokens/token-format.js';
import * as sql from './device.sql.js';
import { UserCodes } from './user-codes.js';

/** RFC 8628 §3.2: long enough to find a telephone and to sign in. */
export const CODE_SECONDS = 600;
const PAUSE_SECONDS = 5;
const TRY_AGAIN = { 'Retry-After': '60' };
/** Attempts to make a user code that no other device has. Two devices seldom get the same letters. */
const ATTEMPTS = 3;

/** The answer to a device. Only this answer has the codes in clear. */
export interface DeviceAnswer {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly expiresIn: number;
  readonly interval: number;
}

/** A device that waits for somebody to decide. */
export interface WaitingDevice {
  readonly digest: Buffer;
  readonly client: ClientRecord;
  readonly scope: readonly string[];
  readonly audience: string;
  readonly offline: boolean;
  /** The IP address that the device asked from. */
  readonly ip: string | null;
  readonly askedAt: Date;
}

/** Owns what devices ask for, until somebody decides. */
@Injectable()
export class DeviceRequests {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly clients: ClientsService,
    private readonly access: RequestedAccess,
    private readonly codes: UserCodes,
  ) {}

  /** @throws WireError unauthorized_client, invalid_scope, invalid_target, too_many_requests; Unavailable */
  async begin(
    clientId: string,
    asked: { readonly scope?: string | undefined; readonly resource?: string | undefined },
    origin: RequestOrigin,
  ): Promise<DeviceAnswer> {
    const client = await this.clients.find(clientId);
    if (!client?.deviceGrant) throw WireError.because('no_device_grant');
    const access = await this.access.of(client, asked.scope, asked.resource);
    if ('error' in access)
      throw new WireError(access.error === 'invalid_target' ? 'invalid_target' : 'invalid_scope');
    const deviceCode = `kdc_${randomBytes(32).toString('base64url')}`;
    const now = this.clock.now();
    const expires = timestamp(this.clock.seconds() + CODE_SECONDS);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const userCode = this.codes.make();
      const [row] = await this.database.run<Record<'client' | 'room' | 'made', boolean>>(sql.ASK_FOR_DEVICE, [
        ...[clientId, client.scope, new Date(now), digestOf(deviceCode), this.codes.stored(userCode)[0]],
        ...[expires, access.scope.join(' '), access.audience, access.offline],
        ...[origin.ip, networkOf(origin.ip ?? ''), PAUSE_SECONDS],
      ]);
      if (row?.made) return { deviceCode, userCode, expiresIn: CODE_SECONDS, interval: PAUSE_SECONDS };
      if (!row?.client) break;
      if (!row.room) throw new WireError('too_many_requests', TRY_AGAIN, { reason: 'too_many_codes' });
    }
    throw new Unavailable('the client changed while it was being answered');
  }

  /** @returns undefined if no device waits with this code, or if its client may no longer have what it asked for */
  async find(userCode: string): Promise<WaitingDevice | undefined> {
    const values = [this.codes.stored(userCode), new Date(this.clock.now())];
    const [row] = await this.database.run<sql.WaitingRow>(sql.FIND_WAITING, values);
    const client = row && (await this.clients.find(row.client_id));
    if (!row || !client?.deviceGrant || client.disabled) return undefined;
    const { digest, audience, offline, ip, created_at: askedAt } = row;
    const scope = parseScope(row.scope) ?? [];
    // the client may have lost a scope or an API since the device asked
    const within = await this.access.within({ client, scope, resource: audience }, scope);
    if ('error' in within || !subset(scope, parseScope(client.scope) ?? [])) return undefined;
    return { digest, client, scope, audience, offline, ip, askedAt };
  }
}
