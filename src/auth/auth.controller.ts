import { Body, Controller, Header, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { BearerError, type Challenge, Public } from 'keks-guard';
import { CONFIG, type Config } from '../config/config.js';
import { Clock } from '../database/clock.js';
import { ApiAnswer, ApiErrors } from '../http/openapi/api-answer.js';
import { CurrentOrigin } from './current-caller.js';
import type { RequestOrigin } from './request-origin.js';
import {
  issueAnswer,
  issueRequest,
  revokeAnswer,
  tokenRequest,
  validateAnswer,
  type IssueAnswer,
  type IssueRequest,
  type TokenRequest,
  type ValidateAnswer,
} from './auth.schemas.js';
import { AuthService } from './auth.service.js';
import { resourceChallenge } from './discovery/well-known.js';
import { LocalGuard } from './local.guard.js';
import type { VerifiedUser } from './users/password-login.js';

/** The story's three verbs over HTTP. JSON in, JSON out, 200. */
@Public()
@Controller()
export class AuthController {
  private readonly challenge: Challenge;

  constructor(
    private readonly auth: AuthService,
    private readonly clock: Clock,
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
      'The login of a person. Without `scope` the token may do all that the user may. `offline_access` in `scope` adds a refresh token, `"format":"jwt"` gives a signed JWT in place of a random placeholder.',
    tags: ['tokens'],
  })
  @ApiAnswer(200, issueAnswer, 'The token. Nobody can show it to you again.')
  @ApiErrors('invalid_request', 'invalid_scope', 'invalid_credentials', 'too_many_requests')
  async issue(
    @Body({ schema: issueRequest }) body: IssueRequest,
    @Req() { user }: { readonly user: VerifiedUser },
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<IssueAnswer> {
    const { token, expiresIn, scope, refresh } = await this.auth.issue(user, body, origin);
    return {
      token,
      token_type: 'Bearer',
      expires_in: expiresIn,
      scope,
      ...(refresh ? { refresh_token: refresh.token, refresh_expires_in: refresh.expiresIn } : {}),
    };
  }

  @Post('validate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'A token in, a verdict out',
    description:
      'For access tokens and API keys. Whoever holds a token may ask about it; nothing is told but whether it counts and for how long.',
    tags: ['tokens'],
  })
  @ApiAnswer(200, validateAnswer, 'The token is active.')
  @ApiErrors('invalid_request', 'invalid_token')
  async validate(@Body({ schema: tokenRequest }) { token }: TokenRequest): Promise<ValidateAnswer> {
    const validation = await this.auth.validate(token);
    if (!validation.active) throw new BearerError('invalid_token', this.challenge);
    const left = Math.floor(validation.principal.expiresAt - this.clock.now() / 1_000);
    return { active: true, expires_in: Math.max(0, left) };
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
