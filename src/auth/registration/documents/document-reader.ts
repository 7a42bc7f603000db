import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/config.js';
import { Clock } from '../../../database/clock.js';
import { WireError } from '../../../http/errors/wire-error.js';
import type { NewClient } from '../../clients/clients.service.js';
import type { RequestOrigin } from '../../request-origin.js';
import { RegistrationThrottle } from '../../throttle/registration-throttle.js';
import { readMetadata } from '../registration-metadata.js';
import { registrationRequest } from '../registration.schemas.js';
import { isClientIdUrl } from './client-id-url.js';
import { freshFor } from './freshness.js';
import { GuardedFetch, type FetchedJson } from './guarded-fetch.js';

/** What a document says, and until when it counts. */
export interface Described {
  readonly client: NewClient;
  readonly freshUntil: Date;
}

/** Owns the reading of a client's metadata document; never whether Keks knows the client already. */
@Injectable()
export class DocumentReader {
  private readonly logger = new Logger('clients');

  constructor(
    private readonly fetch: GuardedFetch,
    private readonly throttle: RegistrationThrottle,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whether the name is an address of metadata, and such names are switched on. */
  reads(clientId: string): boolean {
    return this.config.CLIENT_METADATA_DOCUMENTS && isClientIdUrl(clientId);
  }

  /**
   * @returns undefined if there is no document that counts
   * @throws WireError too_many_requests; Unavailable
   */
  async read(clientId: string, origin: RequestOrigin): Promise<Described | undefined> {
    // a stranger makes Keks ask somebody else's host: no more often than a stranger may register
    await this.throttle.admit(origin.ip);
    const fetched = await this.fetch.json(clientId);
    return fetched && this.described(clientId, fetched);
  }

  /** What the document says, if it is the client's own and the client can be registered. */
  private described(clientId: string, { value, cacheControl }: FetchedJson): Described | undefined {
    if (value['client_id'] !== clientId || value['client_secret'] !== undefined) return undefined;
    const said = registrationRequest.safeParse({ token_endpoint_auth_method: 'none', ...value });
    // a document is public, so no secret can be in it
    const method = said.data?.token_endpoint_auth_method;
    if (!said.data || (method !== 'none' && method !== 'private_key_jwt')) return undefined;
    try {
      const { client } = readMetadata(said.data, this.config);
      // the document is read when a browser comes for the client, and a device sends no browser
      if (!client.redirectUris?.length) return undefined;
      return {
        client: { ...client, deviceGrant: false },
        freshUntil: new Date(this.clock.now() + freshFor(cacheControl) * 1_000),
      };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.logger.debug(`the metadata document of a client will not do: ${error.code}`);
      return undefined;
    }
  }
}
