import { randomBytes } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Clock } from '../../database/clock.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import { audit } from '../audit/audit-event.js';
import { digestOf, mintToken, NO_EXPIRY } from '../tokens/token-format.js';
import type { TokenKeys } from '../tokens/token-keys.js';
import type { NewClient, NewSecret } from './client-record.js';
import { Client, ClientSecret } from './client.entity.js';

/** What is written about a client, whoever adds it, in the transaction of the change. */

export const newClientId = (): string => `c-${randomBytes(12).toString('hex')}`;

/** Inserts a new client. Members that are not given get their defaults. */
export async function insertClient(
  entities: EntityManager,
  { scope, audience, resources, redirectUris = [], ...rest }: NewClient,
  of: Pick<Client, 'clientId' | 'isPublic' | 'selfRegistered'>,
): Promise<Client> {
  const { deviceGrant = false, requirePushed = false, dpopBound = false, jwks = null } = rest;
  const { tokenExchange = false } = rest;
  const client = entities.create(Client, {
    ...rest,
    ...of,
    scope: scope.join(' '),
    audience: [...audience],
    resources: [...resources],
    redirectUris: [...redirectUris],
    deviceGrant,
    requirePushed,
    dpopBound,
    tokenExchange,
    jwks,
    disabledAt: null,
  });
  await entities.insert(Client, client);
  return client;
}

export async function insertSecret(
  entities: EntityManager,
  clientId: string,
  { clock, keys: { current } }: { readonly clock: Clock; readonly keys: TokenKeys },
): Promise<NewSecret> {
  const clientSecret = mintToken('kcs_', NO_EXPIRY, current);
  const secret = entities.create(ClientSecret, {
    clientId,
    digest: digestOf(clientSecret),
    createdAt: new Date(clock.now()),
    keyId: current.keyId,
  });
  await entities.insert(ClientSecret, secret);
  return { id: secret.id, clientSecret };
}

interface ClientEvent {
  readonly type: string;
  readonly by: Initiator;
  readonly client: Pick<Client, 'clientId' | 'name'>;
  readonly detail: object;
}

export async function auditClient(
  queries: Queries,
  clock: Clock,
  { type, by, client: { clientId, name }, detail }: ClientEvent,
): Promise<void> {
  const event = { type, ...by, detail: { client_id: clientId, name, ...detail } };
  await audit(queries, clock, event);
}
