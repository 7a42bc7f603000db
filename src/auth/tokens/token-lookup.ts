import { Injectable } from '@nestjs/common';
import { Database, type Statement } from '../../database/database.js';
import type { Principal } from '../../guard/principal.js';
import { MicroBatch } from './micro-batch.js';
import type { Genuine } from './token-format.js';

/** What the database says of one token: its row and its grant's. Times are milliseconds since the epoch. */
export interface StoredToken {
  readonly principal: Principal;
  readonly revoked: boolean;
  readonly grantRevoked: boolean;
  readonly grantExpiresAt: number | null;
}

interface Row {
  readonly at: string;
  readonly token_id: string;
  readonly grant_id: string;
  readonly kind: Principal['grantKind'];
  readonly subject: string;
  readonly client_id: string;
  readonly scope: string;
  readonly audience: string;
  readonly revoked: boolean;
  readonly grant_revoked: boolean;
  readonly grant_expires_at: Date | null;
}

/** The built-in first-party client: whom logins and API keys belong to. */
export const FIRST_PARTY_CLIENT = 'keks';

const PRINCIPAL_COLUMNS = `
  g.id AS grant_id, g.kind, coalesce(g.user_id::text, g.client_id) AS subject,
  coalesce(g.client_id, '${FIRST_PARTY_CLIENT}') AS client_id,
  g.revoked_at IS NOT NULL AS grant_revoked, g.expires_at AS grant_expires_at`;

/** One row of its primary key a token, and its grant's. The expiry that stands in the token names the partition. */
export const LOOK_UP_ACCESS_TOKENS: Statement = {
  name: 'look_up_access_tokens',
  text: `
    SELECT q.at, t.id AS token_id, t.scope, t.audience, t.revoked_at IS NOT NULL AS revoked, ${PRINCIPAL_COLUMNS}
      FROM unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS q (digest, expires_at, at)
      JOIN access_tokens t ON t.digest = q.digest AND t.expires_at = q.expires_at
      JOIN grants g ON g.id = t.grant_id`,
};

/**
 * Asks the primary about tokens that are genuine and unexpired, many in one statement. It keeps no answer: a revoked
 * token is dead everywhere as soon as the revoke is acknowledged.
 */
@Injectable()
export class TokenLookup {
  private readonly accessTokens: MicroBatch<Genuine, StoredToken | undefined>;

  constructor(private readonly database: Database) {
    this.accessTokens = new MicroBatch((tokens) => this.readAccessTokens(tokens), {
      size: 128,
      flights: 2,
      queue: 20_000,
    });
  }

  /** @throws Unavailable */
  accessToken(token: Genuine): Promise<StoredToken | undefined> {
    return this.accessTokens.ask(token);
  }

  private async readAccessTokens(tokens: readonly Genuine[]): Promise<(StoredToken | undefined)[]> {
    const rows = await this.database.runHot<Row>(LOOK_UP_ACCESS_TOKENS, [
      tokens.map((token) => token.digest),
      tokens.map((token) => new Date(token.expiresAt * 1_000)),
    ]);
    const found = Array.from<StoredToken | undefined>({ length: tokens.length });
    for (const row of rows) {
      const at = Number(row.at) - 1;
      found[at] = storedToken(row, tokens[at]?.expiresAt ?? 0);
    }
    return found;
  }
}

function storedToken(row: Row, expiresAt: number): StoredToken {
  return {
    principal: {
      subject: row.subject,
      clientId: row.client_id,
      scope: row.scope === '' ? [] : row.scope.split(' '),
      audience: [row.audience],
      expiresAt,
      grantId: row.grant_id,
      grantKind: row.kind,
      tokenId: row.token_id,
    },
    revoked: row.revoked,
    grantRevoked: row.grant_revoked,
    grantExpiresAt: row.grant_expires_at?.getTime() ?? null,
  };
}
