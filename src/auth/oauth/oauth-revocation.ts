import { Injectable } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import type { RequestOrigin } from '../request-origin.js';
import { TokenLookup } from '../tokens/token-lookup.js';
import { TokenReader } from '../tokens/token-reader.js';
import { TokenRevocation } from '../tokens/token-revocation.js';

/** RFC 7009: a client takes back tokens that were issued to it, and no others. */
@Injectable()
export class OAuthRevocation {
  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly revocation: TokenRevocation,
  ) {}

  /** @throws WireError unauthorized_client, unsupported_token_type; Unavailable if the end is not certain */
  async revoke(token: string, client: AuthenticatedClient, origin: RequestOrigin): Promise<void> {
    const read = await this.reader.read(token);
    if ('refused' in read) return;
    if (read.kind === 'client_secret') throw new WireError('unsupported_token_type');
    const stored = await this.lookup.describe(read, read.kind);
    if (!stored) return;
    if (stored.principal.clientId !== client.clientId) throw new WireError('unauthorized_client');
    await this.revocation.revoke(read, { actor: `client:${client.clientId}`, origin });
  }
}
