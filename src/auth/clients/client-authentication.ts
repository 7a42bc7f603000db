import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { Database } from '../../database/database.js';
import { WireError } from '../../http/errors/wire-error.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { byteaArray } from '../../database/hot/binary-arrays.js';
import { MicroBatch } from '../../database/hot/micro-batch.js';
import { parseToken, type TokenFormat } from '../tokens/token-format.js';
import { TokenKeys } from '../tokens/token-keys.js';
import { isApp } from './client-record.js';
import { ClientAssertions } from './client-assertions.js';
import { presentedClient, type ClientRequest } from './client-credentials.js';
import { Client } from './client.entity.js';
import type { Statement } from '../../database/statement.js';

/** A client that has just proved its secret, or one that has none and has said its name. */
export interface AuthenticatedClient {
  readonly clientId: string;
  readonly scope: string;
  readonly audience: readonly string[];
  readonly tokenFormat: TokenFormat;
  /** Whether it acts for people, and so never for itself. */
  readonly isApp: boolean;
  /** Nothing is proved: anybody can say that name. */
  readonly isPublic: boolean;
  /** Whether it gets only tokens that are bound to a key (RFC 9449 §5.2). */
  readonly isBound: boolean;
  /** Of the secret that it has shown, if it has one. */
  readonly digest?: Buffer;
}

/** A secret that we made. Whether it is still the client's, the database knows. */
export interface GenuineSecret {
  readonly clientId: string;
  readonly digest: Buffer;
}

/** A name without a secret, which is enough for a public client; or with a proof by a key. */
export interface NamedClient {
  readonly clientId: string;
  readonly digest?: undefined;
  readonly assertion?: string | undefined;
}

/** Fields as text. */
type ClientRow = readonly [
  /** Which secret of the batch this is of, from 1. */
  at: string,
  clientId: string,
  scope: string,
  /** One a line. */
  audience: string,
  tokenFormat: TokenFormat,
  /** NULL for most. */
  isApp: string | null,
  /** NULL for most. */
  isBound: string | null,
];

const LOOK_UP_CLIENTS: Statement = {
  name: 'look_up_clients',
  text: `
    SELECT q.at, c.client_id, c.scope, array_to_string(c.audience, E'\\n'), c.token_format,
           CASE WHEN c.redirect_uris <> '{}' OR c.device_grant THEN true END,
           CASE WHEN c.dpop_bound THEN true END
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
    @InjectRepository(Client) private readonly clients: Repository<Client>,
    private readonly keys: TokenKeys,
    private readonly telemetry: Telemetry,
    private readonly assertions: ClientAssertions,
  ) {
    telemetry.watch('client_secret', () => this.secrets.depth);
  }

  /**
   * What needs no query: that the request names one client, and that its secret, if there is one, was made by us.
   * @returns undefined if the request names no client, or names the first-party client, which has no secret
   * @throws WireError invalid_request, invalid_client
   */
  presented(request: ClientRequest): GenuineSecret | NamedClient | undefined {
    const presented = presentedClient(request);
    if (presented === 'nobody') return undefined;
    if (presented.secret === undefined)
      return { clientId: presented.clientId, assertion: presented.assertion };
    const secret = parseToken(presented.secret, this.keys);
    if (!secret.genuine || secret.kind !== 'client_secret') throw new WireError('invalid_client');
    return { clientId: presented.clientId, digest: secret.digest };
  }

  /** @throws WireError invalid_client; Unavailable */
  async authenticate(presented: GenuineSecret | NamedClient): Promise<AuthenticatedClient> {
    const { clientId, digest } = presented;
    if (!digest) return this.withoutSecret(presented);
    const row = await this.secrets.ask(digest);
    if (!row || row[1] !== clientId) throw new WireError('invalid_client');
    const [, , scope, audience, tokenFormat, forPeople, bound] = row;
    return {
      clientId,
      scope,
      audience: audience === '' ? [] : audience.split('\n'),
      tokenFormat,
      isApp: forPeople !== null,
      isPublic: false,
      isBound: bound !== null,
      digest,
    };
  }

  /** One that has a secret has to show it. */
  private async withoutSecret({ clientId, assertion }: NamedClient): Promise<AuthenticatedClient> {
    const client =
      assertion === undefined
        ? await this.clients.findOneBy({ clientId, isPublic: true, disabledAt: IsNull() })
        : await this.assertions.verify(clientId, assertion);
    if (!client) throw new WireError('invalid_client');
    const { scope, audience, tokenFormat, isPublic, dpopBound: isBound } = client;
    return { clientId, scope, audience, tokenFormat, isApp: isApp(client), isPublic, isBound };
  }

  /** An API shows the same secret with each of its requests: among those that come together it is looked for once. */
  private async lookUp(digests: readonly Buffer[]): Promise<(ClientRow | undefined)[]> {
    const distinct: Buffer[] = [];
    const places = new Map<string, number>();
    const wanted = digests.map((digest) => {
      const key = digest.toString('latin1');
      const place = places.get(key) ?? distinct.push(digest);
      places.set(key, place);
      return place;
    });
    const rows = await this.database.runHot<ClientRow>(LOOK_UP_CLIENTS, [byteaArray(distinct)]);
    const found = new Map(rows.map((row) => [Number(row[0]), row]));
    return wanted.map((place) => found.get(place));
  }
}
