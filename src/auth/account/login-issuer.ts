import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock, timestamp } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { RequestOrigin } from '../request-origin.js';
import { OFFLINE_ACCESS, parseScope, scopeElsewhere, scopeOfUser, subset } from '../scope.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';
import { TokenMint, type MintedToken } from '../tokens/token-mint.js';
import type { VerifiedUser } from '../users/password-login.js';
import { endOldestLogins } from '../grants/login-bound.js';
import type { Statement } from '../../database/statement.js';
import type { TokenFormat } from '../tokens/token-format.js';

export interface LoginRequest {
  /** As requested; absent means all of the user's. `offline_access` in it asks for a refresh token. */
  readonly scope?: string | undefined;
  readonly format?: TokenFormat | undefined;
  /** An API other than this authority. The token then carries none of the authority's own scopes, and is not valid here. */
  readonly audience?: string | undefined;
  /** The key that the tokens are bound to (RFC 9449). */
  readonly jkt?: string | undefined;
}

/**
 * The user's row is locked FOR SHARE and what was verified is checked again under that lock. Disabling locks the row
 * first and revokes grants as a second statement, so nothing slips through between.
 */
const ISSUE_TO_USER: Statement = {
  name: 'issue_to_user',
  text: `
    WITH owner AS (
      SELECT id, name, epoch FROM users
       WHERE id = $1 AND password_hash = $2 AND scope = $3 AND disabled_at IS NULL FOR SHARE
    ), login AS (
      INSERT INTO grants (id, kind, user_id, epoch, scope, expires_at, ip, user_agent, created_at, label, signed)
      SELECT $18, 'login', owner.id, owner.epoch, $4, $5, $6, $7, $8, $17, $12 = 'jwt' FROM owner
      RETURNING id
    ), token AS (
      INSERT INTO access_tokens (digest, expires_at, grant_id, user_id, scope, audience, format, created_at, jkt)
      SELECT $9, $10, login.id, $1, $4, $11, $12, $8, $19 FROM login
      RETURNING id
    ), refresh AS (
      INSERT INTO refresh_tokens (digest, expires_at, grant_id, scope, audience, format, created_at, jkt)
      SELECT $13, $14, login.id, $4, $11, $12, $8, $19 FROM login WHERE $13::bytea IS NOT NULL
      RETURNING id
    )
    INSERT INTO audit_events (created_at, type, actor, grant_id, token_id, ip, request_id, detail)
    SELECT $8, 'token.issued', coalesce($16, 'user:' || owner.name), login.id, token.id, $6, $15,
           jsonb_build_object('scope', $4::text, 'format', $12::text, 'expires_at', $10::timestamptz,
                              'refresh_token_id', (SELECT id FROM refresh))
           || CASE WHEN $16::text IS NULL THEN '{}' ELSE jsonb_build_object('user', owner.name) END
           || CASE WHEN $19::text IS NULL THEN '{}' ELSE jsonb_build_object('jkt', $19::text) END
      FROM owner, login, token
    RETURNING grant_id`,
};

/** The audience of a browser's session: the pages on which people sign in and consent. No API has this name. */
export const BROWSER_AUDIENCE = 'keks browser session';
/** Half a day: tomorrow somebody else may use this browser. */
const BROWSER_SECONDS = 43_200;

/** Somebody other than the user, who did not need the password. Shown in the audit log and in the user's list of logins. */
export interface OnBehalf {
  readonly actor: string;
  readonly label: string;
}

interface NewLogin {
  readonly access: MintedToken;
  readonly refresh?: MintedToken | undefined;
  readonly scope: string;
  readonly audience: string;
  readonly format: TokenFormat;
  /** When it ends: whole seconds since the epoch. */
  readonly expiresAt: number;
  readonly grantId: string;
  readonly jkt?: string | undefined;
}

/** Makes the grant and the first tokens of a person who has logged in. */
@Injectable()
export class LoginIssuer {
  constructor(
    private readonly told: ToldGuards,
    private readonly mint: TokenMint,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly telemetry: Telemetry,
  ) {}

  /** @throws WireError invalid_scope; Unavailable, also when the account changed meanwhile */
  async issue(
    user: VerifiedUser,
    request: LoginRequest,
    origin: RequestOrigin,
    by?: OnBehalf,
  ): Promise<IssuedToken> {
    const { AUDIENCE, SESSION_TTL, REFRESH_TOKEN_TTL } = this.config;
    const { audience = AUDIENCE, jkt } = request;
    const { scope, offline } = scopeOf(user, request.scope, audience !== AUDIENCE);
    const format = request.format ?? 'opaque';
    const notAfter = this.clock.seconds() + SESSION_TTL;
    const grantId = randomUUID();
    const access = await this.mint.access({
      subject: user.id,
      clientId: FIRST_PARTY_CLIENT,
      scope,
      audience,
      format,
      notAfter,
      grantId,
      jkt,
    });
    const refresh = offline ? this.mint.opaque('krt_', Math.min(REFRESH_TOKEN_TTL, SESSION_TTL)) : undefined;
    const expiresAt = offline ? notAfter : access.expiresAt;
    const what = { access, refresh, scope, audience, format, expiresAt, grantId, jkt };
    await this.begin(user, what, origin, by);
    const { token, expiresIn } = access;
    return { token, expiresIn, scope, ...(refresh ? { refresh } : {}) };
  }

  /**
   * A session of a browser: it may do nothing at any API, and is listed and ended like every other login.
   * @throws Unavailable, also when the account changed meanwhile
   */
  async browserSession(user: VerifiedUser, origin: RequestOrigin): Promise<string> {
    const access = this.mint.opaque('kat_', Math.min(BROWSER_SECONDS, this.config.SESSION_TTL));
    const { expiresAt } = access;
    const where = { audience: BROWSER_AUDIENCE, grantId: randomUUID() } as const;
    const what = { access, scope: '', format: 'opaque', expiresAt, ...where } as const;
    await this.begin(user, what, origin);
    return access.token;
  }

  private async begin(
    user: VerifiedUser,
    { access, refresh, scope, audience, format, expiresAt, grantId, jkt }: NewLogin,
    origin: RequestOrigin,
    by?: OnBehalf,
  ): Promise<void> {
    const now = new Date(this.clock.now());
    const [row] = await this.told.database.run<{ grant_id: string }>(ISSUE_TO_USER, [
      ...[user.id, user.passwordHash, user.scope],
      ...[scope, timestamp(expiresAt), origin.ip, origin.userAgent, now],
      ...[access.digest, timestamp(access.expiresAt), audience, format],
      ...[refresh?.digest ?? null, refresh ? timestamp(refresh.expiresAt) : null, origin.requestId],
      ...[by?.actor ?? null, by?.label ?? null, grantId, jkt ?? null],
    ]);
    if (!row) throw new Unavailable('the account changed while its password was being checked');
    this.telemetry.issued('login', format);
    const login = { grantId: row.grant_id, userId: user.id, at: now, origin };
    const ended = await endOldestLogins(this.told.database, login, this.config.MAX_SESSIONS_PER_USER);
    if (ended > 0) await this.told.wait();
    this.telemetry.revoked('grant', ended);
  }
}

/** @throws WireError invalid_scope */
function scopeOf(
  user: VerifiedUser,
  requested: string | undefined,
  elsewhere: boolean,
): { scope: string; offline: boolean } {
  const all = scopeOfUser(user.scope);
  const granted = elsewhere ? scopeElsewhere(all) : all;
  if (requested === undefined) return { scope: granted.join(' '), offline: false };
  const parsed = parseScope(requested);
  if (!parsed || parsed.length === 0) throw new WireError('invalid_scope');
  const wanted = parsed.filter((scope) => scope !== OFFLINE_ACCESS);
  if (!subset(wanted, granted)) throw new WireError('invalid_scope');
  return {
    scope: (wanted.length > 0 ? wanted : granted).join(' '),
    offline: wanted.length < parsed.length,
  };
}
