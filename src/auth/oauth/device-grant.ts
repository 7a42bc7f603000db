import { Injectable } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { digestOf } from '../tokens/token-format.js';
import { TokenMint } from '../tokens/token-mint.js';
import * as sql from './device-grant.sql.js';
import type { TokenRequest } from './oauth.schemas.js';

/** RFC 8628 §3.4 */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const DEVICE_CODE = /^kdc_[A-Za-z0-9_-]{43}$/;
const ATTEMPTS = 3;

/** What of a row says that a person has said yes. */
interface Allowed {
  readonly grantId: string;
  readonly subject: string;
  readonly scope: string;
  readonly audience: string;
  readonly offline: boolean;
  readonly notAfter: number;
}

/** RFC 8628 §3.4: a device asks again and again, and once a person has said yes it gets tokens, once. */
@Injectable()
export class DeviceGrant {
  constructor(
    private readonly database: Database,
    private readonly mint: TokenMint,
    private readonly clock: Clock,
    private readonly refusals: Refusals,
    private readonly telemetry: Telemetry,
  ) {}

  /** @throws WireError invalid_grant, invalid_target, and those of RFC 8628 §3.5; Unavailable */
  async exchange(
    client: AuthenticatedClient,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    const { device_code: code } = request;
    if (code === undefined) throw WireError.because('missing', 'device_code');
    // a statement that touched nothing decides nothing: what is so is looked up anew
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const row = DEVICE_CODE.test(code) ? await this.find(code) : undefined;
      // not one of ours: anybody can send that, and the audit log would fill with it
      if (!row) throw new WireError('invalid_grant');
      const allowed = await this.judge(code, row, client, request, origin);
      const issued = allowed && (await this.use(code, allowed, client, { jkt: request.jkt, origin }));
      if (issued) return issued;
    }
    throw new Unavailable('a device code is there, and could not be used');
  }

  private async find(code: string): Promise<sql.DeviceCodeRow | undefined> {
    const [row] = await this.database.run<sql.DeviceCodeRow>(sql.FIND_DEVICE_CODE, [digestOf(code)]);
    return row;
  }

  /** @returns undefined if it changed while it was looked at @throws WireError */
  private async judge(
    code: string,
    row: sql.DeviceCodeRow,
    client: AuthenticatedClient,
    { resource }: TokenRequest,
    origin: RequestOrigin,
  ): Promise<Allowed | undefined> {
    // another client's is none of its business, and stays unharmed; and none is worth a second token
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
    return { grantId, subject, scope, audience, offline, notAfter: Math.floor(expires.getTime() / 1_000) };
  }

  private async wait(code: string): Promise<undefined> {
    const values = [digestOf(code), new Date(this.clock.now())];
    const [poll] = await this.database.run<{ too_fast: boolean }>(sql.NOTE_POLL, values);
    if (poll) throw new WireError(poll.too_fast ? 'slow_down' : 'authorization_pending');
  }

  /** @returns undefined if it was used, or its consent ended, in between */
  private async use(
    code: string,
    { grantId, notAfter, offline, ...allowed }: Allowed,
    { clientId, tokenFormat: format, isPublic }: AuthenticatedClient,
    { jkt, origin }: { readonly jkt: string | undefined; readonly origin: RequestOrigin },
  ): Promise<IssuedToken | undefined> {
    const access = await this.mint.access({ ...allowed, clientId, format, grantId, notAfter, jkt });
    const refresh = offline ? this.mint.refresh(notAfter) : undefined;
    const rows = await this.database.run(sql.USE_DEVICE_CODE, [
      ...[digestOf(code), new Date(this.clock.now()), access.digest, timestamp(access.expiresAt), format],
      ...[refresh?.digest ?? null, refresh ? timestamp(refresh.expiresAt) : null],
      ...[origin.ip, origin.requestId],
      // RFC 9449 §5: of a client that proves itself the refresh token is bound to its secret already
      ...[jkt ?? null, isPublic ? (jkt ?? null) : null],
    ]);
    if (rows.length === 0) return undefined;
    this.telemetry.issued('device', format);
    const { token, expiresIn } = access;
    return { token, expiresIn, scope: allowed.scope, ...(refresh && { refresh }) };
  }
}
