import { Injectable } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { ClientRecord } from '../clients/clients.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import type { TokenFormat } from '../tokens/token-format.js';
import { TokenMint } from '../tokens/token-mint.js';
import type { ShownToken } from './shown-tokens.js';
import { EXCHANGE_TOKEN } from './exchange.sql.js';

/** An exchange that was judged: the new token stays within everything that it is made from. */
export interface Exchange {
  /** The client as it was read. If it has changed since, there is no token. */
  readonly client: ClientRecord;
  readonly subject: ShownToken;
  readonly actors: readonly string[];
  readonly scope: string;
  readonly audience: string;
  readonly format: TokenFormat;
  /** The latest end of the new token: whole seconds since the epoch. */
  readonly notAfter: number;
  readonly jkt: string | undefined;
}

/** Owns the making of a token from another token. */
@Injectable()
export class ExchangedTokens {
  constructor(
    private readonly database: Database,
    private readonly mint: TokenMint,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /** @returns undefined if anything that the token is made from ended or changed meanwhile @throws Unavailable */
  async issue(exchange: Exchange, origin: RequestOrigin): Promise<IssuedToken | undefined> {
    const { client, subject, actors, scope, audience, format, notAfter, jkt } = exchange;
    const { read, stored } = subject;
    const { clientId } = client;
    const { subject: sub, grantId } = stored.principal;
    const access = await this.mint.access({
      ...{ subject: sub, clientId, scope, audience, format, notAfter, grantId, actors, jkt },
    });
    const rows = await this.database.run(EXCHANGE_TOKEN, [
      ...[clientId, client.scope, client.resources ?? null, new Date(this.clock.now())],
      ...[read.digest, timestamp(read.expiresAt), grantId],
      ...[access.digest, timestamp(access.expiresAt), scope, audience, format, jkt ?? null, sub],
      ...[origin.ip, origin.requestId],
    ]);
    if (rows.length === 0) return undefined;
    this.telemetry.issued('exchange', format);
    return { token: access.token, expiresIn: access.expiresIn, scope };
  }
}
