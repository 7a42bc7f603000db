import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ClientsService } from '../clients/clients.service.js';

/** Knows for which APIs a person may log in: for this authority itself, and for those that an operator has registered. */
@Injectable()
export class LoginAudiences {
  constructor(
    private readonly clients: ClientsService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'AUDIENCE'>,
  ) {}

  /**
   * @returns undefined for the authority's own audience, which is also the default
   * @throws WireError invalid_target; Unavailable
   */
  async of(resource: string | undefined): Promise<string | undefined> {
    if (resource === undefined || resource === this.config.AUDIENCE) return undefined;
    if (!(await this.clients.isApi(resource))) throw new WireError('invalid_target');
    return resource;
  }
}
