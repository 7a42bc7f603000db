import { Body, Controller, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import { Public } from 'keks-guard';
import { CONFIG, type Config } from '../../config/config.js';
import { ApiAnswer, ApiErrors } from '../../http/openapi/api-answer.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { ClientGuard, CurrentClient } from '../clients/client.guard.js';
import { CurrentOrigin } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import { DeviceRequests } from './device-requests.js';
import { deviceAnswer, deviceRequest, type DeviceAnswerBody, type DeviceRequest } from './device.schemas.js';
import { shownUserCode } from './user-codes.js';

/** RFC 8628 §3.1: a device without a browser asks for codes. */
@Public()
@Controller('oauth')
@ApiBasicAuth('client')
export class DeviceAuthorizationController {
  constructor(
    private readonly requests: DeviceRequests,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('device_authorization')
  @HttpCode(200)
  @UseGuards(ClientGuard)
  @Header('Cache-Control', 'no-store')
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOperation({
    summary: 'Codes for a device that has no browser (RFC 8628)',
    description:
      'The device shows `user_code` and `verification_uri`; a person goes there with another one, signs in, types the code and decides. Meanwhile the device asks at `/oauth/token` with `device_code`, no more often than `interval` says. For clients that have `device_grant`.',
    tags: ['oauth'],
  })
  @ApiAnswer(200, deviceAnswer, 'The codes, for ten minutes (RFC 8628 §3.2).')
  @ApiErrors('invalid_request', 'invalid_scope', 'invalid_target', 'unauthorized_client', 'invalid_client')
  @ApiErrors('too_many_requests')
  async begin(
    @Body({ schema: deviceRequest }) body: DeviceRequest,
    @CurrentClient() client: AuthenticatedClient,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<DeviceAnswerBody> {
    const { deviceCode, userCode, ...rest } = await this.requests.begin(client.clientId, body, origin);
    const shown = shownUserCode(userCode);
    const address = `${this.config.ISSUER}/device`;
    return {
      device_code: deviceCode,
      user_code: shown,
      verification_uri: address,
      verification_uri_complete: `${address}?user_code=${shown}`,
      expires_in: rest.expiresIn,
      interval: rest.interval,
    };
  }
}
