import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { WireError } from '../../http/errors/wire-error.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { byteaArray } from '../../database/hot/binary-arrays.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import { parseToken, type TokenFormat } from '../tokens/token-format.js';
import { TokenKeys } from '../tokens/token-keys.js';
import { presentedClient, type ClientRequest } from './client-credentials.js';
import type { Statement } from '../../database/statement.js';

/** A client that has just proved its secret. */
export interface AuthenticatedClient {
  readonly clientId: string;
  readonly scope: string;
  readonly audience: readonly string[];
  readonly tokenFormat: TokenFormat;
}

/** A secret that we made. Whether it is still the client's, the database knows. */
export interface GenuineSecret {
  readonly clientId: string;
  readonly digest: Buffer;
}

/** Fields as text. */
type ClientRow = readonly [
  /** Which question of the batch this answers, from 1. */
  at: string,
  clientId: string,
  scope: string,
  /** One a line. */
  audience: string,
  tokenFormat: TokenFormat,
];

const LOOK_UP_CLIENTS: Statement = {
  name: 'look_up_clients',
  text: `
    SELECT q.at, c.client_id, c.scope, array_to_string(c.audience, E'\\n'), c.token_format
      FROM unnest($1::bytea[]) WITH ORDINALITY AS q (digest, at)
      JOIN client_secrets s ON s.digest = q.digest
      JOIN clients c ON c.client_id = s.client_id AND c.disabled_at IS NULL`,
};

/**
 * RFC 6749 §2.3: one client, one method a request. A secret is random and carries a MAC, so it is found by its digest:
 * no bcrypt, nothing to time, and a guessed one is refused without a query.
 */
@Injectable()
export class ClientAuthentication {
  private readonly secrets = new MicroBatch<Buffer, ClientRow | undefined>(
    (digests) => this.lookUp(digests),
    {
      name: 'look up client secrets',
      size: 128,
      eager: 16,
      flights: 2,
      queue: 20_000,
    },
    (size) => this.telemetry.batches.client_secret.note(size),
  );

  constructor(
    private readonly database: Database,
    private readonly keys: TokenKeys,
    private readonly telemetry: Telemetry,
  ) {
    telemetry.watch('client_secret', () => this.secrets.depth);
  }

  /**
   * What needs no query: that the request names one client, and that its secret was made by us.
   * @returns undefined if the request names no client, or names the first-party client, which has no secret
   * @throws WireError invalid_request, invalid_client
   */
  presented(request: ClientRequest): GenuineSecret | undefined {
    const presented = presentedClient(request);
    if (presented === 'nobody') return undefined;
    const secret = parseToken(presented.secret, this.keys);
    if (!secret.genuine || secret.kind !== 'client_secret') throw new WireError('invalid_client');
    return { clientId: presented.clientId, digest: secret.digest };
  }

  /** @throws WireError invalid_client; Unavailable */
  async authenticate({ clientId, digest }: GenuineSecret): Promise<AuthenticatedClient> {
    const row = await this.secrets.ask(digest);
    if (!row || row[1] !== clientId) throw new WireError('invalid_client');
    const [, , scope, audience, tokenFormat] = row;
    return { clientId, scope, audience: audience === '' ? [] : audience.split('\n'), tokenFormat };
  }

  private async lookUp(digests: readonly Buffer[]): Promise<(ClientRow | undefined)[]> {
    const rows = await this.database.runHot<ClientRow>(LOOK_UP_CLIENTS, [byteaArray(digests)]);
    const found = Array.from<ClientRow | undefined>({ length: digests.length });
    for (const row of rows) found[Number(row[0]) - 1] = row;
    return found;
  }
}
