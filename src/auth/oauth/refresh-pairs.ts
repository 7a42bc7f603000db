import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import type { TokenFormat } from '../tokens/token-format.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';
import { TokenMint, type MintedToken } from '../tokens/token-mint.js';
import type { RefreshRow } from './refresh.sql.js';
import { Successors, type Successor } from './successors.js';

/** The two tokens of an answer, before anybody has them. */
export interface RefreshPair {
  readonly format: TokenFormat;
  readonly access: MintedToken;
  readonly successor: Successor;
}

/** Owns the making of the two tokens that answer a refresh; never whether a refresh is answered. */
@Injectable()
export class RefreshPairs {
  constructor(
    private readonly mint: TokenMint,
    private readonly successors: Successors,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The usual pair: opaque tokens of a login that outlives them. It needs the refresh token alone, and no look-up. */
  usual(token: string): RefreshPair {
    const { ACCESS_TOKEN_TTL, REFRESH_TOKEN_TTL } = this.config;
    return {
      format: 'opaque',
      access: this.mint.opaque('kat_', ACCESS_TOKEN_TTL),
      successor: this.successors.derive(token, this.clock.seconds() + REFRESH_TOKEN_TTL),
    };
  }

  /** @param jkt the key that the access token is bound to @throws Unavailable without a key to sign with */
  async of(token: string, row: RefreshRow, scope: string, jkt: string | undefined): Promise<RefreshPair> {
    const expiresAt = Math.min(this.clock.seconds() + this.config.REFRESH_TOKEN_TTL, endOf(row));
    const access = await this.access(row, scope, jkt);
    return { format: row.format, access, successor: this.successors.derive(token, expiresAt) };
  }

  /** @throws Unavailable without a key to sign with */
  access(row: RefreshRow, scope: string, jkt: string | undefined): Promise<MintedToken> {
    const { user_id: subject, audience, format } = row;
    const clientId = row.client_id ?? FIRST_PARTY_CLIENT;
    const claims = { subject, clientId, scope, audience, format, grantId: row.grant_id, jkt };
    return this.mint.access({ ...claims, notAfter: endOf(row) });
  }

  answer({ access, successor }: Pick<RefreshPair, 'access' | 'successor'>, scope: string): IssuedToken {
    const left = Math.max(0, successor.expiresAt - this.clock.seconds());
    const refresh = { token: successor.token, expiresIn: left };
    return { token: access.token, expiresIn: access.expiresIn, scope, refresh };
  }
}

/** When the login ends: whole seconds since the epoch. */
function endOf({ grant_expires_at: end }: RefreshRow): number {
  return Math.floor(end.getTime() / 1_000);
}
