import { Body, Controller, Header, HttpCode, Inject, Logger, Post, Req, UseGuards } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { BearerError, type Challenge, type Principal, Public } from 'keks-guard';
import { MisaddressedTokens } from 'keks-guard/internals';
import { CONFIG, type Config } from '../config/config.js';
import { Clock } from '../database/clock.js';
import { ApiAnswer, ApiErrors } from '../http/openapi/api-answer.js';
import { WireError } from '../http/errors/wire-error.js';
import { LoginAudiences } from './account/login-audiences.js';
import { CurrentOrigin } from './current-caller.js';
import type { RequestOrigin } from './request-origin.js';
import {
  issueAnswer,
  issueRequest,
  revokeAnswer,
  tokenRequest,
  validateAnswer,
  validateRequest,
  type IssueAnswer,
  type IssueRequest,
  type TokenRequest,
  type ValidateAnswer,
  type ValidateRequest,
} from './auth.schemas.js';
import { AuthService } from './auth.service.js';
import { ApiProof } from './dpop/api-proof.js';
import { ProvenKey } from './dpop/proven-key.pipe.js';
import { resourceChallenge } from './discovery/well-known.js';
import { LocalGuard } from './local.guard.js';
import { DeviceProofs } from './throttle/device-proofs.js';
import { userName } from './users/user-name.js';
import { parseScope, subset } from './scope.js';
import type { VerifiedUser } from './users/password-login.js';

/** The three verbs issue, validate and revoke over HTTP. JSON in, JSON out; success is 200. */
@Public()
@Controller()
export class AuthController {
  private readonly challenge: Challenge;
  private readonly logger = new Logger('validate');
  private readonly misaddressed = new MisaddressedTokens((line) => this.logger.warn(line));

  constructor(
    private readonly auth: AuthService,
    private readonly clock: Clock,
    private readonly devices: DeviceProofs,
    private readonly audiences: LoginAudiences,
    @Inject(CONFIG) config: Config,
  ) {
    this.challenge = resourceChallenge(config);
  }

  @Post('issue')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @UseGuards(LocalGuard)
  @ApiOperation({
    summary: 'Proof of identity in, a token out',
    description:
      'The login of a person. Without `scope` the token may do all that the user may. `offline_access` in `scope` adds a refresh token, `"format":"jwt"` gives a signed JWT in place of a random placeholder. `resource` names another API that the token is for. With a proof in the header `DPoP` (RFC 9449) the tokens are bound to its key, and nobody else can use them.',
    tags: ['tokens'],
  })
  @ApiAnswer(200, issueAnswer, 'The token. Nobody can show it to you again.')
  @ApiErrors('invalid_request', 'invalid_scope', 'invalid_target', 'invalid_credentials', 'too_many_requests')
  @ApiProof()
  @ApiErrors('invalid_dpop_proof', 'use_dpop_nonce')
  async issue(
    @Body({ schema: issueRequest }) body: IssueRequest,
    @Req() { user }: { readonly user: VerifiedUser },
    @CurrentOrigin() origin: RequestOrigin,
    @ProvenKey() jkt: string | undefined,
  ): Promise<IssueAnswer> {
    const { token, expiresIn, scope, refresh } = await this.auth.issue(
      user,
      { ...body, audience: await this.audiences.of(body.resource), jkt },
      origin,
    );
    return {
      token,
      token_type: jkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: expiresIn,
      scope,
      ...(refresh ? { refresh_token: refresh.token, refresh_expires_in: refresh.expiresIn } : {}),
      ...(body.device === undefined ? {} : { device: this.devices.make(userName(user.name)?.folded ?? '') }),
    };
  }

  @Post('validate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'A token in, a verdict out',
    description:
      'For access tokens and API keys. Whoever holds a token may ask about it; nothing is told but whether it counts and for how long, and, if asked, whether it is for this `audience` and carries this `scope`.',
    tags: ['tokens'],
  })
  @ApiAnswer(200, validateAnswer, 'The token is active.')
  @ApiErrors('invalid_request', 'invalid_token', 'insufficient_scope')
  async validate(
    @Body({ schema: validateRequest }) { token, audience, scope }: ValidateRequest,
  ): Promise<ValidateAnswer> {
    const validation = await this.auth.validate(token);
    if (!validation.active) throw new BearerError('invalid_token', this.challenge);
    const { principal } = validation;
    if (audience !== undefined) this.assertFor(principal, audience);
    if (scope !== undefined) this.assertScope(principal, scope);
    const left = Math.floor(principal.expiresAt - this.clock.now() / 1_000);
    const bound = principal.jkt === undefined ? {} : boundTo(principal.jkt);
    return { active: true, expires_in: Math.max(0, left), ...bound };
  }

  /**
   * Gives the caller the same answer as for a dead token. The log tells the operator that the audience is wrong.
   * @throws BearerError
   */
  private assertFor(principal: Principal, audience: string): void {
    if (principal.audience.includes(audience)) return;
    // the caller is not authenticated, and a text that is no URL may be a secret in the wrong field: do not log it
    if (URL.canParse(audience)) this.misaddressed.note(principal.audience, [audience]);
    throw new BearerError('invalid_token', this.challenge);
  }

  /** @throws BearerError; WireError invalid_scope */
  private assertScope({ scope: carried }: Principal, text: string): void {
    const wanted = parseScope(text);
    if (!wanted) throw new WireError('invalid_scope');
    if (!subset(wanted, carried)) throw new BearerError('insufficient_scope', this.challenge, wanted);
  }

  @Post('revoke')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Takes a token back, at once and everywhere',
    description:
      'Whoever holds a token may revoke it. An access token dies alone; a refresh token or an API key takes with it all that it was good for. A string that is no token answers 200 as well.',
    tags: ['tokens'],
  })
  @ApiAnswer(200, revokeAnswer, 'The token is dead now, whatever it was before.')
  @ApiErrors('invalid_request')
  async revoke(
    @Body({ schema: tokenRequest }) { token }: TokenRequest,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<Record<string, never>> {
    await this.auth.revoke(token, origin);
    return {};
  }
}

/** For a bound token only: an API that accepts the token must ask for a proof (RFC 9449 §7). */
function boundTo(jkt: string): Pick<ValidateAnswer, 'token_type' | 'cnf'> {
  return { token_type: 'DPoP', cnf: { jkt } };
}
