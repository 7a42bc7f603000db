import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import type { BrowserSession } from '../authorize/browser-sessions.js';
import { endOldestLogins } from '../grants/login-bound.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { CODE_SECONDS, type WaitingDevice } from './device-requests.js';
import * as sql from './device.sql.js';

/** Owns a person's decision on a device, made once; never a token. */
@Injectable()
export class DeviceDecisions {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns false if the code expired or was decided, or if person, session or client changed @throws Unavailable */
  async allow(
    { digest, client, audience, offline }: WaitingDevice,
    { user, id: sessionId }: BrowserSession,
    scope: readonly string[],
    origin: RequestOrigin,
  ): Promise<boolean> {
    const { SESSION_TTL, ACCESS_TOKEN_TTL, AUDIENCE } = this.config;
    const at = new Date(this.clock.now());
    const last = offline ? SESSION_TTL : Math.min(SESSION_TTL, CODE_SECONDS + ACCESS_TOKEN_TTL);
    const [row] = await this.told.database.run<{ grant_id: string }>(sql.ALLOW_DEVICE, [
      ...[user.id, user.scope, sessionId, at, client.clientId, client.scope, randomUUID(), digest],
      ...[scope.join(' '), timestamp(this.clock.seconds() + last), origin.ip, origin.userAgent],
      ...[audience === AUDIENCE ? null : audience, origin.requestId],
    ]);
    if (!row) return false;
    const given = { grantId: row.grant_id, userId: user.id, at, origin };
    const ended = await endOldestLogins(
      this.told.database,
      given,
      this.config.MAX_SESSIONS_PER_USER,
      'consent',
    );
    if (ended > 0) await this.told.wait();
    this.telemetry.revoked('grant', ended);
    return true;
  }

  /** @returns false if the code expired or was decided @throws Unavailable */
  async deny({ digest }: WaitingDevice, actor: string, { ip, requestId }: RequestOrigin): Promise<boolean> {
    const values = [digest, new Date(this.clock.now()), actor, ip, requestId];
    return (await this.told.database.run(sql.DENY_DEVICE, values)).length > 0;
  }
}
