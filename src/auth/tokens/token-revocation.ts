import { Injectable } from '@nestjs/common';
import { Clock, timestamp } from '../../database/clock.js';
import { apply, type Change } from '../../database/change.js';
import { ToldGuards } from '../leases/told-guards.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { Statement } from '../../database/statement.js';
import type { ReadToken } from './read-token.js';
import type { Initiator } from '../audit/actor.js';

const REVOKE_ACCESS_TOKEN: Change = {
  name: 'revoke_access_token',
  again: 'same',
  text: `
    WITH token AS (
      UPDATE access_tokens SET revoked_at = $3
       WHERE digest = $1 AND expires_at = $2 AND revoked_at IS NULL
      RETURNING id, grant_id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id)
    SELECT $3, 'token.revoked', $4, token.grant_id, token.id, $5, $6 FROM token
    RETURNING token_id`,
  left: {
    name: 'living_access_token',
    text: 'SELECT FROM access_tokens WHERE digest = $1 AND expires_at = $2 AND revoked_at IS NULL',
    parameters: 2,
  },
};

/** The end of an opaque token also kills the JWTs that were made from it. Finds one of them. */
const JWT_FROM: Statement = {
  name: 'jwt_from_token',
  text: 'SELECT FROM token_exchanges WHERE sources @> ARRAY[$1::bytea] AND signed LIMIT 1',
};

/** Revoking a refresh token or an API key revokes its grant too (RFC 7009 §2.1). */
const revokeGrantThrough = (table: 'refresh_tokens' | 'api_keys', reason: string): Change => ({
  name: `revoke_through_${table}`,
  again: 'same',
  text: `
    WITH token AS (
      SELECT id, grant_id FROM ${table} WHERE digest = $1 AND expires_at = $2
    ), revoked AS (
      UPDATE grants SET revoked_at = $3, revoked_reason = '${reason}'
        FROM token WHERE grants.id = token.grant_id AND grants.revoked_at IS NULL
      RETURNING grants.id, token.id AS token_id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $3, 'grant.revoked', $4, revoked.id, revoked.token_id, $5, $6, '{"reason": "${reason}"}' FROM revoked
    RETURNING grant_id`,
  left: {
    name: `living_in_${table}`,
    text: `
    SELECT FROM ${table} t JOIN grants g ON g.id = t.grant_id
     WHERE t.digest = $1 AND t.expires_at = $2 AND g.revoked_at IS NULL`,
    parameters: 2,
  },
});

const STATEMENTS = {
  access: REVOKE_ACCESS_TOKEN,
  refresh: revokeGrantThrough('refresh_tokens', 'refresh_token_revoked'),
  api_key: revokeGrantThrough('api_keys', 'api_key_revoked'),
  // only the operator retires a client secret, not somebody who found it
  client_secret: undefined,
} as const;

/** Idempotent: fifty concurrent calls all succeed, and the audit log has one event. */
@Injectable()
export class TokenRevocation {
  constructor(
    private readonly told: ToldGuards,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
  ) {}

  /**
   * When it resolves, the revoke is committed, and each guard has applied it or holds no lease any more.
   * @throws Unavailable when that is not certain
   */
  async revoke(token: ReadToken, { actor, origin }: Initiator): Promise<void> {
    const statement = STATEMENTS[token.kind];
    if (!statement) return;
    const rows = await apply(this.told.database, statement, [
      token.digest,
      timestamp(token.expiresAt),
      new Date(this.clock.now()),
      actor,
      origin.ip,
      origin.requestId,
    ]);
    if (endsJwts(token) || (await this.endedFrom(token))) await this.told.wait();
    this.telemetry.revoked(token.kind === 'access' ? 'access_token' : 'grant', rows.length);
  }

  /** Whether JWTs were made from the token. A new snapshot also sees JWTs that were made while the revoke waited. */
  private async endedFrom({ kind, digest }: ReadToken): Promise<boolean> {
    if (kind !== 'access') return false;
    return (await this.told.database.run(JWT_FROM, [digest])).length > 0;
  }
}

/**
 * Whether the revoke ends JWTs. The caller then waits for guards even if another call has revoked first, because the
 * wait of that call may not be over yet. API keys have no JWTs.
 */
function endsJwts({ kind, format }: ReadToken): boolean {
  return kind === 'refresh' || format === 'jwt';
}
