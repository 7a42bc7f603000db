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
  /** With a refresh token. */
  readonly offline: boolean;
  readonly grantExpires: Date;
}

interface Redeeming {
  /** What is used up for the tokens, and how. */
  readonly code: string;
  readonly statement: Statement;
  readonly flow: 'code' | 'device';
  readonly jkt: string | undefined;
  readonly origin: RequestOrigin;
}

/** Owns the tokens that a client gets for a person's yes, whatever it has to show for it. */
@Injectable()
export class ConsentTokens {
  constructor(
    private readonly database: Database,
    private readonly mint: TokenMint,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** @returns undefined if the code was used, or its consent ended, in between @throws Unavailable */
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
      // RFC 9449 §5: of a client that proves itself the refresh token is bound to its secret already
      ...[jkt ?? null, isPublic ? (jkt ?? null) : null],
    ]);
    if (rows.length === 0) return undefined;
    this.telemetry.issued(flow, format);
    const { token, expiresIn } = access;
    return { token, expiresIn, scope, ...(refresh && { refresh }) };
  }
}
