import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuardModule, RequireScope, TokenValidator, type Validation } from 'keks-guard';
import { get } from '../support/test-app.js';

const RESOURCE = 'https://tea.example/api';

/** The authority's part is not what this is about. */
class OneToken extends TokenValidator {
  override validate(token: string): Promise<Validation> {
    const principal = {
      subject: 'ann',
      clientId: 'c',
      scope: ['tea:see'],
      audience: [RESOURCE],
      expiresAt: 9e9,
    };
    return Promise.resolve(
      token === 'good'
        ? { active: true, principal: { ...principal, tokenId: 't' } }
        : { active: false, reason: 'unknown' },
    );
  }
}

@Controller('tea')
class TeaController {
  @Get()
  @RequireScope('tea:brew')
  tea(): string {
    return 'tea';
  }
}

@Module({
  imports: [
    GuardModule.forRoot({
      realm: 'Tea',
      resource: RESOURCE,
      authorizationServers: ['https://auth.example'],
      scopes: ['tea:brew', 'tea:see'],
      validator: new OneToken(),
    }),
  ],
  controllers: [TeaController],
})
class TeaModule {}

describe('GuardModule.forRoot({ resource, authorizationServers, scopes })', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(TeaModule, new FastifyAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(() => app.close());

  it('serves the document between host and path, for everybody (RFC 9728 §3.1, §3.2)', async () => {
    const answer = await get(url, '/.well-known/oauth-protected-resource/api');
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        resource: RESOURCE,
        authorization_servers: ['https://auth.example'],
        scopes_supported: ['tea:brew', 'tea:see'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
        dpop_bound_access_tokens_required: false,
      },
    ]);
  });

  it('leads there from every challenge, with the scope that a client has to step up to (RFC 9728 §5.1, RFC 6750 §3.1)', async () => {
    const metadata = 'resource_metadata="https://tea.example/.well-known/oauth-protected-resource/api"';
    const nobody = await get(url, '/tea');
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer realm="Tea", scope="tea:brew", ${metadata}`,
    ]);
    const less = await get(url, '/tea', 'good');
    expect(less.status).toBe(403);
    expect(less.headers.get('www-authenticate')).toMatch(
      /error="insufficient_scope".*scope="tea:brew".*resource_metadata=/,
    );
  });

  it('refuses to be made for an address that is none, or without an authority', () => {
    const validator = new OneToken();
    const authorizationServers = ['https://auth.example'];
    for (const resource of ['tea', 'https://tea.example/#x', 'https://tea.example/?x', 'urn:tea'])
      expect(() => GuardModule.forRoot({ realm: 'Tea', resource, authorizationServers, validator })).toThrow(
        TypeError,
      );
    expect(() => GuardModule.forRoot({ realm: 'Tea', resource: RESOURCE, validator })).toThrow(TypeError);
  });
});
