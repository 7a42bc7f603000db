import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Clock } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { WireError } from '../../http/errors/wire-error.js';
import { Refusals } from '../audit/refusals.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ToldGuards } from '../leases/told-guards.js';
import type { RequestOrigin } from '../request-origin.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { digestOf } from '../tokens/token-format.js';
import * as sql from './code.sql.js';
import { ConsentTokens } from './consent-tokens.js';
import type { TokenRequest } from './oauth.schemas.js';

const CODE = /^kac_[A-Za-z0-9_-]{43}$/;
/** RFC 7636 §4.1 */
const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;
const ATTEMPTS = 3;

/** RFC 6749 §4.1.3: a client exchanges the code of a person's consent for tokens, once. */
@Injectable()
export class CodeGrant {
  constructor(
    private readonly told: ToldGuards,
    private readonly tokens: ConsentTokens,
    private readonly clock: Clock,
    private readonly refusals: Refusals,
    private readonly telemetry: Telemetry,
  ) {}

  /**
   * A second use of a code ends the consent.
   * @throws WireError invalid_request, invalid_grant, invalid_target; Unavailable
   */
  async exchange(
    client: AuthenticatedClient,
    request: TokenRequest,
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    const { code, code_verifier: verifier, redirect_uri: redirectUri } = request;
    if (code === undefined) throw WireError.because('missing', 'code');
    if (redirectUri === undefined) throw WireError.because('missing', 'redirect_uri');
    if (verifier === undefined) throw WireError.because('missing', 'code_verifier');
    if (!VERIFIER.test(verifier)) throw WireError.because('bad_verifier', 'code_verifier');
    // a code that Keks did not make is not noted: anybody can send one, and would fill the audit log
    const row = CODE.test(code) ? await this.find(code) : undefined;
    if (!row) throw new WireError('invalid_grant');
    const digest = digestOf(code);
    const refused = { type: 'token.refused', actor: `client:${client.clientId}`, origin, digest } as const;
    return this.refusals.noting(refused, () =>
      this.spend(code, row, client, { ...request, verifier }, origin),
    );
  }

  private async find(code: string): Promise<sql.CodeRow | undefined> {
    const [row] = await this.told.database.run<sql.CodeRow>(sql.FIND_CODE, [digestOf(code)]);
    return row;
  }

  private async spend(
    code: string,
    first: sql.CodeRow,
    client: AuthenticatedClient,
    asked: TokenRequest & { readonly verifier: string },
    origin: RequestOrigin,
  ): Promise<IssuedToken> {
    // a statement that changed no row decides nothing: the code is looked up again
    let row: sql.CodeRow | undefined = first;
    for (let attempt = 1; attempt <= ATTEMPTS && row; attempt += 1) {
      // another client's code is refused, and stays valid
      if (row.client_id !== client.clientId) throw new WireError('invalid_grant');
      // a replay is noted only if it ends the consent: whoever has a used code can send it for ever
      if (row.used_at && row.grant_revoked) throw new WireError('invalid_grant');
      if (row.used_at) return this.kill(code, origin);
      this.assertFits(row, asked);
      const { grant_id: grantId, user_id: subject, grant_expires_at: grantExpires, ...allowed } = row;
      const issued = await this.tokens.issue({ ...allowed, grantId, subject, grantExpires }, client, {
        ...{ code, statement: sql.USE_CODE, flow: 'code', jkt: asked.jkt, origin },
      });
      if (issued) return issued;
      row = await this.find(code);
    }
    throw new Unavailable('a code is there, and could not be used');
  }

  /** @throws WireError */
  private assertFits(
    row: sql.CodeRow,
    { verifier, ...asked }: TokenRequest & { readonly verifier: string },
  ): void {
    const now = this.clock.now();
    const isOver = row.expires_at.getTime() <= now || row.grant_expires_at.getTime() <= now;
    // RFC 7636 §4.6
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const fits = challenge === row.code_challenge && asked.redirect_uri === row.redirect_uri;
    if (row.grant_revoked || isOver || !fits) throw new WireError('invalid_grant');
    // RFC 9449 §10: a thief of the code, and even of the verifier, does not have the key
    if (row.jkt !== null && row.jkt !== asked.jkt) throw WireError.because('bound_elsewhere');
    if (asked.resource !== undefined && asked.resource !== row.audience)
      throw new WireError('invalid_target');
  }

  private async kill(code: string, { ip, requestId }: RequestOrigin): Promise<never> {
    const values = [digestOf(code), new Date(this.clock.now()), ip, requestId];
    const events = await this.told.database.run<{ killed: boolean }>(sql.KILL_REPLAYED_CODE, values);
    await this.told.wait();
    this.telemetry.revoked('grant', events.filter(({ killed }) => killed).length);
    throw new WireError('invalid_grant');
  }
}
