import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { digestOf } from '../tokens/token-format.js';
import { ConsentTokens, type Allowed } from './consent-tokens.js';
import * as sql from './device-grant.sql.js';
import type { TokenRequest } from './oauth.schemas.js';

/** RFC 8628 §3.4 */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const DEVICE_CODE = /^kdc_[A-Za-z0-9_-]{43}$/;
const ATTEMPTS = 3;

/** RFC 8628 §3.4: a device polls. Once a person has consented, it gets tokens, once. */
@Injectable()
export class DeviceGrant {
  constructor(
    private readonly database: Database,
    private readonly tokens: ConsentTokens,
    private readonly clock: Clock,
    private readonly refusals: Refusals,
  ) {}

  /** @throws WireError invalid_grant, invalid_target, and those of RFC 8628 §3.5; Unavailable */
  async exchange(
    client: AuthenticatedClient,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    const { device_code: code } = request;
    if (code === undefined) throw WireError.because('missing', 'device_code');
    // a statement that changed no row decides nothing: the device code is looked up again
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const row = DEVICE_CODE.test(code) ? await this.find(code) : undefined;
      // a code that Keks did not make is not noted: anybody can send one, and would fill the audit log
      if (!row) throw new WireError('invalid_grant');
      const allowed = await this.judge(code, row, client, request, origin);
      const use = { code, statement: sql.USE_DEVICE_CODE, flow: 'device', jkt: request.jkt, origin } as const;
      const issued = allowed && (await this.tokens.issue(allowed, client, use));
      if (issued) return issued;
    }
    throw new Unavailable('a device code is there, and could not be used');
  }

  private async find(code: string): Promise<sql.DeviceCodeRow | undefined> {
    const [row] = await this.database.run<sql.DeviceCodeRow>(sql.FIND_DEVICE_CODE, [digestOf(code)]);
    return row;
  }

  /** @returns undefined if the device code changed meanwhile @throws WireError */
  private async judge(
    code: string,
    row: sql.DeviceCodeRow,
    client: AuthenticatedClient,
    { resource }: TokenRequest,
    origin: RequestOrigin,
  ): Promise<Allowed | undefined> {
    // another client's code is refused, and stays valid; no code gives tokens twice
    if (row.client_id !== client.clientId || row.used_at || row.grant_revoked) {
      const refused = { type: 'token.refused', actor: `client:${client.clientId}`, origin } as const;
      await this.refusals.note(refused, 'invalid_grant');
      throw new WireError('invalid_grant');
    }
    if (row.denied_at) throw WireError.because('device_denied');
    const now = this.clock.now();
    if (row.expires_at.getTime() <= now) throw new WireError('expired_token');
    if (resource !== undefined && resource !== row.audience) throw new WireError('invalid_target');
    const { grant_id: grantId, user_id: subject, scope, grant_expires_at: expires, audience, offline } = row;
    if (grantId === null) return this.wait(code);
    if (subject === null || scope === null || !expires || expires.getTime() <= now)
      throw new WireError('invalid_grant');
    return { grantId, subject, scope, audience, offline, grantExpires: expires };
  }

  private async wait(code: string): Promise<undefined> {
    const values = [digestOf(code), new Date(this.clock.now())];
    const [poll] = await this.database.run<{ too_fast: boolean }>(sql.NOTE_POLL, values);
    if (poll) throw new WireError(poll.too_fast ? 'slow_down' : 'authorization_pending');
  }
}
