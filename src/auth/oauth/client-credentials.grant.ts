import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Clock } from '../../database/clock.js';
import { Database, type Statement } from '../../database/database.js';
import { Unavailable } from '../../http/unavailable.js';
import { WireError } from '../../http/wire-error.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ClientsService } from '../clients/clients.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { parseScope, subset } from '../scope.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { timestamp, TokenMint } from '../tokens/token-mint.js';
import type { TokenRequest } from './oauth.schemas.js';

/**
 * The client's row is locked FOR SHARE and checked again, then its one standing grant, which is made if there is none.
 * `owner` tells a client that changed from a grant that somebody else was making at the same moment.
 */
const ISSUE_TO_CLIENT: Statement = {
  name: 'issue_to_client',
  text: `
    WITH owner AS (
      SELECT client_id FROM clients WHERE client_id = $1 AND scope = $2 AND disabled_at IS NULL FOR SHARE
    ), standing AS (
      SELECT g.id FROM owner JOIN grants g
          ON g.client_id = owner.client_id AND g.kind = 'client' AND g.revoked_at IS NULL
         FOR SHARE OF g
    ), made AS (
      INSERT INTO grants (kind, client_id, scope, created_at)
      SELECT 'client', owner.client_id, $2, $3 FROM owner WHERE NOT EXISTS (SELECT FROM standing)
      ON CONFLICT DO NOTHING
      RETURNING id
    ), token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, scope, audience, format, created_at)
      SELECT $4, $5, id, $6, $7, $8, $3 FROM (SELECT id FROM standing UNION ALL SELECT id FROM made) AS g
      RETURNING id, grant_id
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
      SELECT $3, 'token.issued', coalesce($11, 'client:' || $1), token.grant_id, token.id, $9, $10,
             jsonb_build_object('scope', $6::text, 'format', $8::text, 'audience', $7::text)
             || CASE WHEN $11::text IS NULL THEN '{}' ELSE jsonb_build_object('client_id', $1::text) END
        FROM token
    )
    SELECT EXISTS (SELECT FROM owner) AS owner, EXISTS (SELECT FROM token) AS issued`,
};

const ATTEMPTS = 3;

/** RFC 6749 §4.4: a system gets a token for itself. There is never a refresh token: it can come again. */
@Injectable()
export class ClientCredentialsGrant {
  constructor(
    private readonly database: Database,
    private readonly mint: TokenMint,
    private readonly clients: ClientsService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param actor who asks, if it is not the client itself
   * @throws WireError invalid_scope, invalid_target; Unavailable
   */
  async exchange(
    client: AuthenticatedClient,
    request: Pick<TokenRequest, 'scope' | 'resource'>,
    origin: RequestOrigin,
    actor: string | null = null,
  ): Promise<IssuedToken> {
    const scope = scopeOf(client, request.scope);
    const audience = await this.audienceOf(request.resource);
    const { clientId, tokenFormat: format } = client;
    const access = await this.mint.access({ subject: clientId, clientId, scope, audience, format });
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const [row] = await this.database.run<{ owner: boolean; issued: boolean }>(ISSUE_TO_CLIENT, [
        ...[clientId, client.scope, new Date(this.clock.now())],
        ...[access.digest, timestamp(access.expiresAt), scope, audience, format],
        ...[origin.ip, origin.requestId, actor],
      ]);
      if (row?.issued) return { token: access.token, expiresIn: access.expiresIn, scope };
      if (!row?.owner) break;
    }
    throw new Unavailable('the client changed while it was being answered');
  }

  private async audienceOf(resource: string | undefined): Promise<string> {
    if (resource === undefined || resource === this.config.AUDIENCE) return this.config.AUDIENCE;
    if (!(await this.clients.isAudience(resource))) throw new WireError('invalid_target');
    return resource;
  }
}

/** `offline_access` among them is one that no client has. */
function scopeOf(client: AuthenticatedClient, requested: string | undefined): string {
  if (requested === undefined) return client.scope;
  const wanted = parseScope(requested);
  if (!wanted || !subset(wanted, parseScope(client.scope) ?? [])) throw new WireError('invalid_scope');
  return wanted.join(' ');
}
