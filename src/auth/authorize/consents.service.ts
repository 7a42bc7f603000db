import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import type { Initiator } from '../audit/actor.js';
import { endOldestLogins } from '../grants/login-bound.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { digestOf } from '../tokens/token-format.js';
import type { User } from '../users/user.entity.js';
import type { AuthorizationRequest } from './authorization-request.js';
import * as sql from './consents.sql.js';

/** Seconds. RFC 6749 §4.1.2: long enough for a redirect, and no longer. */
const CODE_SECONDS = 60;

/** Every `client_id` that is possible. Any other text is no client's name, and is not looked up. */
const CLIENT_ID = /^[!-~]{1,256}$/;

/** What a person allows a client, as the consent page asks. */
export interface Consent {
  readonly user: User;
  readonly sessionId: string;
  readonly request: AuthorizationRequest;
  /** The part of the requested scope that the person has. */
  readonly scope: readonly string[];
  readonly audience: string;
  readonly remembered: boolean;
  /** False if an earlier answer was remembered. */
  readonly asked: boolean;
}

/** Owns the consents that people give to clients, and their end; never a token. */
@Injectable()
export class ConsentsService {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
    private readonly throttle: LoginThrottle,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @returns the code, once
   * @throws WireError too_many_requests; Unavailable, also when the person, the session or the client changed meanwhile
   */
  async give(consent: Consent, origin: RequestOrigin): Promise<string> {
    const consents = this.throttle.consentsOf(consent.user.id);
    await consents.admit();
    await consents.note();
    const { user, request, audience, remembered } = consent;
    const { client, offline } = request;
    const code = `kac_${randomBytes(32).toString('base64url')}`;
    const now = this.clock.seconds();
    const { SESSION_TTL, ACCESS_TOKEN_TTL } = this.config;
    const last = offline || remembered ? SESSION_TTL : Math.min(SESSION_TTL, CODE_SECONDS + ACCESS_TOKEN_TTL);
    const at = new Date(this.clock.now());
    const [row] = await this.told.database.run<{ grant_id: string }>(sql.GIVE_CONSENT, [
      ...[user.id, user.scope, consent.sessionId, at, client.clientId, client.scope, client.redirectUris],
      ...[consent.scope.join(' '), timestamp(now + last), origin.ip, origin.userAgent],
      ...[this.labelOf(audience), remembered, digestOf(code), timestamp(now + CODE_SECONDS)],
      ...[request.redirectUri, request.codeChallenge, audience, offline, origin.requestId, consent.asked],
      request.pushed ?? null,
      request.jkt ?? null,
    ]);
    if (!row) throw new Unavailable('the person, the session or the client changed meanwhile');
    const given = { grantId: row.grant_id, userId: user.id, at, origin };
    const most = this.config.MAX_SESSIONS_PER_USER;
    const ended = await endOldestLogins(this.told.database, given, most, 'consent');
    if (ended > 0) await this.told.wait();
    this.telemetry.revoked('grant', ended);
    return code;
  }

  async isRemembered({ user, request, scope, audience }: Consent): Promise<boolean> {
    const now = new Date(this.clock.now());
    const values = [user.id, now, request.client.clientId, this.labelOf(audience), scope];
    return (await this.told.database.run(sql.IS_REMEMBERED, values)).length > 0;
  }

  /** One row per client. The client that got the latest consent comes first. */
  list(userId: string): Promise<sql.ConsentRow[]> {
    return this.told.database.run(sql.LIST_CONSENTS, [userId, new Date(this.clock.now())]);
  }

  /** @returns false if there was no consent to end */
  async end(userId: string, clientId: string, { actor, origin }: Initiator): Promise<boolean> {
    if (!CLIENT_ID.test(clientId)) return false;
    const values = [userId, new Date(this.clock.now()), clientId, actor, origin.ip, origin.requestId];
    const { length } = await this.told.database.run(sql.END_CONSENTS, values);
    // wait as well if another request has just ended the consents
    await this.told.wait();
    this.telemetry.revoked('grant', length);
    return length > 0;
  }

  /** For lists: the API, or null for the authority's own API. */
  private labelOf(audience: string): string | null {
    return audience === this.config.AUDIENCE ? null : audience;
  }
}
