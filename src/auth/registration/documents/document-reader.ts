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

/** Owns what stands at a client's own address; never whether the client is there already. */
@Injectable()
export class DocumentReader {
  private readonly logger = new Logger('clients');

  constructor(
    private readonly fetch: GuardedFetch,
    private readonly throttle: RegistrationThrottle,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whether it is such a name, and they are switched on. */
  reads(clientId: string): boolean {
    return this.config.CLIENT_METADATA_DOCUMENTS && isClientIdUrl(clientId);
  }

  /**
   * @returns undefined if there is no document that counts
   * @throws WireError too_many_requests; Unavailable
   */
  async read(clientId: string, origin: RequestOrigin): Promise<Described | undefined> {
    // somebody else's host is asked for a stranger: no oftener than one may register
    await this.throttle.admit(origin.ip);
    const fetched = await this.fetch.json(clientId);
    return fetched && this.described(clientId, fetched);
  }

  /** What it says, if it is the client's own and can be registered. */
  private described(clientId: string, { value, cacheControl }: FetchedJson): Described | undefined {
    if (value['client_id'] !== clientId || value['client_secret'] !== undefined) return undefined;
    const said = registrationRequest.safeParse({ token_endpoint_auth_method: 'none', ...value });
    // a secret that everybody reads is none
    const method = said.data?.token_endpoint_auth_method;
    if (!said.data || (method !== 'none' && method !== 'private_key_jwt')) return undefined;
    try {
      const { client } = readMetadata(said.data, this.config);
      // it is read when somebody is sent here, which no device does
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
