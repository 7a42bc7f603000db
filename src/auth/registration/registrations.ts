import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { randomBytes } from 'node:crypto';
import { Repository } from 'typeorm';
import { CONFIG, type Config } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ClientsService, type ClientRecord } from '../clients/clients.service.js';
import { SelfRegisteredClients, type RegisteredClient } from '../clients/self-registered-clients.js';
import type { RequestOrigin } from '../request-origin.js';
import { isStorable } from '../storable.js';
import { digestOf } from '../tokens/token-format.js';
import { ClientRegistration } from './client-registration.entity.js';
import { InitialAccessTokens } from './initial-access-tokens.js';
import { readMetadata, type ClientMetadata } from './registration-metadata.js';
import type { RegistrationChange } from './registration.schemas.js';

const FORM = /^kra_[A-Za-z0-9_-]{43}$/;
const FULL_SECONDS = '3600';

/** A client that registered itself, with what it has said. */
export interface Registration {
  readonly client: RegisteredClient;
  readonly authMethod: string;
  readonly grantTypes: readonly string[];
  /** The token that manages the registration, in clear. */
  readonly token: string;
}

/** Owns what self-registered clients say of themselves, and that only they change it; never what they then get. */
@Injectable()
export class Registrations {
  constructor(
    @InjectRepository(ClientRegistration) private readonly stored: Repository<ClientRegistration>,
    private readonly clients: ClientsService,
    private readonly registered: SelfRegisteredClients,
    private readonly initial: InitialAccessTokens,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param initialToken the token that lets somebody register, where one is needed
   * @throws WireError invalid_redirect_uri, invalid_client_metadata, too_many_requests; Unavailable
   * @returns undefined if that token has been used up meanwhile
   */
  async add(
    metadata: ClientMetadata,
    initialToken: string | undefined,
    origin: RequestOrigin,
  ): Promise<Registration | undefined> {
    const { client, authMethod, grantTypes } = metadata;
    const token = `kra_${randomBytes(32).toString('base64url')}`;
    try {
      const added = await this.registered.add({
        ...{ client, isPublic: authMethod === 'none', origin },
        also: async (transaction, clientId) => {
          const used = initialToken && (await this.initial.use(initialToken, transaction));
          if (initialToken && used === undefined) throw new UsedUp();
          const row = { clientId, digest: digestOf(token), authMethod, grantTypes: [...grantTypes] };
          await transaction.entities.insert(ClientRegistration, row);
          return used ? { initial_token_id: used } : {};
        },
      });
      if (typeof added === 'string') throw full();
      return { client: added, authMethod, grantTypes, token };
    } catch (error) {
      if (error instanceof UsedUp) return undefined;
      throw error;
    }
  }

  /** @returns undefined if the token is not this client's, or if the client is disabled */
  async find(clientId: string, token: string): Promise<Registration | undefined> {
    if (!FORM.test(token) || !isStorable(clientId)) return undefined;
    const row = await this.stored.findOneBy({ clientId, digest: digestOf(token) });
    const client = row && (await this.clients.find(clientId));
    if (!client || client.disabled) return undefined;
    return { client, authMethod: row.authMethod, grantTypes: row.grantTypes, token };
  }

  /**
   * RFC 7592 §2.2: replaces the whole registration. What the client may no longer do ends.
   * @throws WireError; Unavailable
   */
  async replace(
    before: Registration,
    said: RegistrationChange,
    origin: RequestOrigin,
  ): Promise<Registration> {
    const { client } = before;
    await this.assertItsOwn(client, said);
    const metadata = readMetadata(said, this.config);
    const { authMethod, grantTypes } = metadata;
    if (kindOf(authMethod) !== kindOf(before.authMethod))
      throw WireError.because('another_method', 'token_endpoint_auth_method');
    const { name, scope, redirectUris, deviceGrant, requirePushed, dpopBound, jwks } = metadata.client;
    const by = { actor: `client:${client.clientId}`, origin };
    const change = { name, scope, redirectUris, deviceGrant, requirePushed, dpopBound, jwks };
    const changed = await this.clients.change(client.clientId, change, by);
    if (!changed || 'flaw' in changed) throw new WireError('invalid_client_metadata');
    await this.stored.update({ clientId: client.clientId }, { authMethod, grantTypes: [...grantTypes] });
    return { client: changed, authMethod, grantTypes, token: before.token };
  }

  remove({ client: { clientId } }: Registration, origin: RequestOrigin): Promise<boolean> {
    return this.registered.remove(clientId, origin);
  }

  private async assertItsOwn({ clientId }: ClientRecord, said: RegistrationChange): Promise<void> {
    for (const name of OURS) if (said[name] !== undefined) throw WireError.because('not_yours_to_say', name);
    if (said.client_id !== clientId) throw WireError.because('another_client', 'client_id');
    const { client_secret: secret } = said;
    if (secret !== undefined && !(await this.clients.hasSecret(clientId, digestOf(secret))))
      throw WireError.because('another_secret', 'client_secret');
  }
}

/** Members that a client MUST NOT send (RFC 7592 §2.2). */
const OURS = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
];

/** What the client proves itself with: nothing, a key, or a secret, which it may send in two ways. */
function kindOf(authMethod: string): string {
  return authMethod.startsWith('client_secret_') ? 'client_secret' : authMethod;
}

/** Rolls the transaction back. */
class UsedUp extends Error {}

function full(): WireError {
  return new WireError('too_many_requests', { 'Retry-After': FULL_SECONDS }, { reason: 'too_many_clients' });
}
