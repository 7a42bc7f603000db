import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { patienceOf } from '../../database/pools.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import type { RequestOrigin } from '../request-origin.js';
import { parseScope, scopeOfApiKey } from '../scope.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { TokenMint } from '../tokens/token-mint.js';
import type { VerifiedUser } from '../users/password-login.js';
import * as sql from './api-keys.sql.js';
import { Turns } from './turns.js';
import type { ReadToken } from '../tokens/read-token.js';

const DAY = 86_400;
export const KEY_TTL_DEFAULT = 90 * DAY;
export const KEY_TTL_MOST = 3_650 * DAY;

export interface NewApiKey {
  readonly label: string;
  /** As requested. If absent, the key gets everything that the caller may give. */
  readonly scope?: string | undefined;
  /** Whole seconds. */
  readonly expiresIn?: number | undefined;
}

/** The user who asks for a key: has just proved the password, and calls with a token of one of their logins. */
export interface KeyOwner {
  readonly user: VerifiedUser;
  readonly loginId: string;
  readonly token: ReadToken;
  /** What the token may do. */
  readonly scope: readonly string[];
}

/** The key in clear, once. */
export interface IssuedApiKey {
  readonly id: string;
  readonly key: string;
  readonly scope: string;
  readonly expiresAt: Date;
}

/** Owns the making of API keys; never whether one is valid, which tokens/ knows. */
@Injectable()
export class ApiKeysService {
  private readonly turns: Turns;

  constructor(
    private readonly database: Database,
    private readonly mint: TokenMint,
    private readonly clock: Clock,
    @Inject(CONFIG)
    private readonly config: Pick<Config, 'AUDIENCE' | 'MAX_KEYS_PER_USER' | 'DATABASE_TIMEOUT'>,
    private readonly telemetry: Telemetry,
  ) {
    this.turns = new Turns(patienceOf(config.DATABASE_TIMEOUT).acquireMs);
  }

  /**
   * @returns undefined if the token, its login or its user has ended meanwhile
   * @throws WireError invalid_scope, too_many_keys; Unavailable, also when the account changed meanwhile
   */
  async issue(owner: KeyOwner, wanted: NewApiKey, origin: RequestOrigin): Promise<IssuedApiKey | undefined> {
    const minted = this.mint.opaque('kak_', wanted.expiresIn ?? KEY_TTL_DEFAULT);
    const expiresAt = timestamp(minted.expiresAt);
    const values = [
      owner.user.id,
      owner.loginId,
      requestedScope(wanted.scope),
      wanted.label,
      expiresAt,
      origin.ip,
      origin.userAgent,
      new Date(this.clock.now()),
      minted.digest,
      this.config.AUDIENCE,
      origin.requestId,
      owner.user.passwordHash,
      scopeOfApiKey(owner.scope),
      owner.token.digest,
      timestamp(owner.token.expiresAt),
      minted.keyId,
      this.config.MAX_KEYS_PER_USER,
    ];
    const make = (): Promise<sql.IssuedRow[]> =>
      this.database.transaction(async (queries) => {
        await queries.run(sql.ONE_KEY_AT_A_TIME, [owner.user.id]);
        await queries.run(sql.SHARE_OWNER, [owner.user.id]);
        return queries.run<sql.IssuedRow>(sql.ISSUE_API_KEY, values);
      });
    const [row] = await this.turns.take(owner.user.id, make);
    if (!row) return undefined;
    if (!row.proved) throw new Unavailable('the account changed while its password was being checked');
    if (row.enough) throw new WireError('too_many_keys');
    if (row.id === null || row.scope === null) throw new WireError('invalid_scope');
    this.telemetry.issued('api_key', 'opaque');
    return { id: row.id, key: minted.token, scope: row.scope, expiresAt };
  }
}

/** @throws WireError invalid_scope. Whether the scope is too much is checked later, under the owner's lock. */
function requestedScope(scope: string | undefined): string | null {
  if (scope === undefined) return null;
  const parsed = parseScope(scope);
  if (!parsed || parsed.length === 0) throw new WireError('invalid_scope');
  return parsed.join(' ');
}
