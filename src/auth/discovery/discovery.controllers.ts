import { Controller, Get, Header, type Type } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Public } from 'keks-guard';
import type { Config } from '../../config/config.js';
import { ApiAnswer } from '../../http/openapi/api-answer.js';
import { cacheSeconds } from '../keys/key-timing.js';
import { PublishedKeys } from '../keys/published-keys.js';
import * as schemas from './discovery.schemas.js';
import { ExchangeOffer } from './exchange-offer.js';
import { authorizationServerMetadata, protectedResourceMetadata } from './metadata.js';
import { ServedScopes } from './served-scopes.js';
import { resourceMetadataUrl, wellKnownPath } from './well-known.js';

const cachedFor = (seconds: number): string => `public, max-age=${seconds}`;
/** For 300 seconds: the configuration changes with a restart only. */
const FOR_A_WHILE = cachedFor(300);

/**
 * Owns what strangers may know of this authority: where it is, what it offers, which keys it signs with. The addresses
 * come from the configuration, and nothing comes from the request.
 */
export function discoveryControllers(config: Config): Type[] {
  const protectedResource = protectedResourceController(config);
  return [
    jwksController(config),
    authorizationServerController(config),
    ...(protectedResource ? [protectedResource] : []),
  ];
}

function jwksController(config: Config): Type {
  @Public()
  @Controller()
  class JwksController {
    constructor(private readonly keys: PublishedKeys) {}

    @Get('.well-known/jwks.json')
    @Header('Cache-Control', cachedFor(cacheSeconds(config)))
    @ApiOperation({
      summary: 'The public keys that verify JWTs (RFC 7517)',
      description:
        'For whoever verifies JWTs without asking the authority. The answer says how long it may be kept; a new key is published before it signs.',
      tags: ['discovery'],
    })
    @ApiAnswer(200, schemas.jwks, 'What signs now, what will, and what tokens still alive were signed with.')
    async jwks(): Promise<schemas.Jwks> {
      return { keys: await this.keys.list() };
    }
  }
  return JwksController;
}

function authorizationServerController(config: Config): Type {
  @Public()
  @Controller()
  class AuthorizationServerController {
    constructor(
      private readonly scopes: ServedScopes,
      private readonly exchange: ExchangeOffer,
    ) {}

    @Get(wellKnownPath('oauth-authorization-server', config.ISSUER))
    @Header('Cache-Control', FOR_A_WHILE)
    @ApiOperation({
      summary: 'What this authority offers (RFC 8414)',
      description:
        'OAuth clients configure themselves with it. All addresses come from the setting `ISSUER`.',
      tags: ['discovery'],
    })
    @ApiAnswer(200, schemas.authorizationServerMetadata, 'Its endpoints and what they understand.')
    async metadata(): Promise<schemas.AuthorizationServerMetadata> {
      const exchange = await this.exchange.isMade();
      return authorizationServerMetadata(config, { scopes: this.scopes.list(), exchange });
    }
  }
  return AuthorizationServerController;
}

/** Undefined if `AUDIENCE` is no URL from which an address can be derived. */
function protectedResourceController({ AUDIENCE, ISSUER }: Config): Type | undefined {
  const url = resourceMetadataUrl(AUDIENCE);
  if (url === undefined) return undefined;
  const { pathname } = new URL(url);
  @Public()
  @Controller()
  class ProtectedResourceController {
    constructor(private readonly scopes: ServedScopes) {}

    @Get(pathname)
    @Header('Cache-Control', FOR_A_WHILE)
    @ApiOperation({
      summary: 'Who issues tokens for this API (RFC 9728)',
      description: 'Every challenge of this API points here with `resource_metadata`.',
      tags: ['discovery'],
    })
    @ApiAnswer(200, schemas.protectedResourceMetadata, 'The authority, and the scopes that are asked for.')
    metadata(): schemas.ProtectedResourceMetadata {
      return protectedResourceMetadata(AUDIENCE, ISSUER, this.scopes.list());
    }
  }
  return ProtectedResourceController;
}
