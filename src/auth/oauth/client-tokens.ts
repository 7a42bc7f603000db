import { Injectable } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { byteaArray, textArray, timestampArray } from '../../database/hot/binary-arrays.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import type { MintedToken } from '../tokens/token-mint.js';
import { ISSUE_TO_CLIENT, ISSUE_TO_CLIENTS } from './client-tokens.sql.js';

/** A token to be written. The caller gets it once it is committed. */
export interface ClientToken {
  /** The client as it was when it authenticated. If it has changed since, there is no token. */
  readonly client: AuthenticatedClient;
  readonly minted: MintedToken;
  readonly scope: string;
  readonly audience: string;
  readonly origin: RequestOrigin;
  /** Who asks; null if the client itself asks. */
  readonly actor: string | null;
  /** Thumbprint of the key that the token is bound to. */
  readonly jkt: string | undefined;
}

const ATTEMPTS = 3;

/**
 * Group commit: tokens that are asked for together are written in one transaction, and each is answered after it. All
 * of them pay for one commit together.
 */
@Injectable()
export class ClientTokens {
  private readonly batch = new MicroBatch<ClientToken, boolean>(
    (tokens) => this.recordTogether(tokens),
    { name: 'record client tokens', size: 128, flights: 2, queue: 2_000 },
    (size) => this.telemetry.batches.client_token.note(size),
  );

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {
    telemetry.watch('client_token', () => this.batch.depth);
  }

  /** Resolves once the token is on disk. @throws Unavailable if that is not certain */
  async record(token: ClientToken): Promise<void> {
    if (!(await this.batch.ask(token))) await this.recordAlone(token);
  }

  /** @returns for each token whether it was written */
  private async recordTogether(tokens: readonly ClientToken[]): Promise<boolean[]> {
    const texts = (of: (token: ClientToken) => string | null): Buffer => textArray(tokens.map(of));
    const [row] = await this.database.run<{ missed: number[] }>(ISSUE_TO_CLIENTS, [
      new Date(this.clock.now()),
      texts(({ client }) => client.clientId),
      texts(({ client }) => client.scope),
      byteaArray(tokens.map(({ minted }) => minted.digest)),
      timestampArray(tokens.map(({ minted }) => minted.expiresAt)),
      texts(({ scope }) => scope),
      texts(({ audience }) => audience),
      texts(({ client }) => client.tokenFormat),
      texts(({ origin }) => origin.ip),
      texts(({ origin }) => origin.requestId),
      texts(({ actor }) => actor),
      texts(({ jkt }) => jkt ?? null),
    ]);
    const written = tokens.map(() => row !== undefined);
    for (const place of row?.missed ?? []) written[place - 1] = false;
    return written;
  }

  /** Waits for a lock on the client's row, and makes the standing grant if there is none. */
  private async recordAlone({
    client,
    minted,
    scope,
    audience,
    origin,
    actor,
    jkt,
  }: ClientToken): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const [row] = await this.database.run<{ owner: boolean; issued: boolean }>(ISSUE_TO_CLIENT, [
        ...[client.clientId, client.scope, new Date(this.clock.now())],
        ...[minted.digest, timestamp(minted.expiresAt), scope, audience, client.tokenFormat],
        ...[origin.ip, origin.requestId, actor, jkt ?? null],
      ]);
      if (row?.issued) return;
      if (!row?.owner) break;
    }
    throw new Unavailable('the client changed while it was being answered');
  }
}
