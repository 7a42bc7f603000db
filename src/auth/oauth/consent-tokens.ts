import { Injectable } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { digestOf } from '../tokens/token-format.js';
import { TokenMint } from '../tokens/token-mint.js';

/** What a person has allowed. */
export interface Allowed {
  readonly grantId: string;
  readonly subject: string;
  readonly scope: string;
  readonly audience: string;
  /** Whether the client gets a refresh token, too. */
  readonly offline: boolean;
  readonly grantExpires: Date;
}

interface Redeeming {
  /** The code that is used up, and the statement that uses it up. */
  readonly code: string;
  readonly statement: Statement;
  readonly flow: 'code' | 'device';
  readonly jkt: string | undefined;
  readonly origin: RequestOrigin;
}

/** Owns the tokens that a client gets for a person's consent, by a code or a device code. */
@Injectable()
export class ConsentTokens {
  constructor(
    private readonly database: Database,
    private readonly mint: TokenMint,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** @returns undefined if the code was used or its consent ended meanwhile @throws Unavailable */
  async issue(
    { grantId, subject, scope, audience, offline, grantExpires }: Allowed,
    { clientId, tokenFormat: format, isPublic }: AuthenticatedClient,
    { code, statement, flow, jkt, origin }: Redeeming,
  ): Promise<IssuedToken | undefined> {
    const notAfter = Math.floor(grantExpires.getTime() / 1_000);
    const claims = { subject, clientId, scope, audience, format, grantId, jkt };
    const access = await this.mint.access({ ...claims, notAfter });
    const refresh = offline ? this.mint.refresh(notAfter) : undefined;
    const rows = await this.database.run(statement, [
      ...[digestOf(code), new Date(this.clock.now()), access.digest, timestamp(access.expiresAt), format],
      ...[refresh?.digest ?? null, refresh ? timestamp(refresh.expiresAt) : null],
      ...[origin.ip, origin.requestId],
      // RFC 9449 §5: if the client authenticates, that already binds the refresh token to it
      ...[jkt ?? null, isPublic ? (jkt ?? null) : null],
    ]);
    if (rows.length === 0) return undefined;
    this.telemetry.issued(flow, format);
    const { token, expiresIn } = access;
    return { token, expiresIn, scope, ...(refresh && { refresh }) };
  }
}
