import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import { BEARER_ERRORS, REQUIRED_SCOPE } from 'keks-guard/internals';
import { Guarded } from 'keks-guard/swagger';
import { beforeAll, describe, expect, it } from 'vitest';

@Controller()
class OwnController {
  @Get('cookies')
  @Guarded('cookies:eat', 'cookies:bake')
  bake(): void {}

  @Get('me')
  @Guarded()
  me(): void {}
}

@Module({ controllers: [OwnController] })
class OwnModule {}

describe('@Guarded() in the OpenAPI document of an API of one’s own', () => {
  let document: OpenAPIObject;

  beforeAll(async () => {
    const app = await NestFactory.create(OwnModule, new FastifyAdapter(), { logger: false });
    const config = new DocumentBuilder().setTitle('own').setVersion('1').addBearerAuth().build();
    document = SwaggerModule.createDocument(app, config);
    await app.close();
  });

  it('is valid', async () => {
    const copy = structuredClone(document) as object as Record<string, unknown>;
    expect((await new Validator().validate(copy)).errors).toBeUndefined();
  });

  it('says that a token is wanted, and every answer that the guard has instead of the route’s', () => {
    const operation = document.paths['/cookies']?.get;
    expect(operation?.security).toEqual([{ bearer: [] }]);
    expect(operation).toHaveProperty('x-required-scope', ['cookies:eat', 'cookies:bake']);
    expect(Object.keys(operation?.responses ?? {})).toEqual(
      expect.arrayContaining(['400', '401', '403', '503']),
    );
    for (const [code, [status, sentence]] of Object.entries(BEARER_ERRORS))
      expect(operation?.responses[status]).toMatchObject({
        description: expect.stringContaining(`\`${code}\``),
        headers: status === 503 ? { 'Retry-After': {} } : { 'WWW-Authenticate': {} },
        content: {
          'application/json': {
            examples: { [code]: { value: { error: code, error_description: sentence } } },
          },
        },
      });
  });

  it('without a scope there is nothing to lack', () => {
    expect(Object.keys(document.paths['/me']?.get?.responses ?? {})).not.toContain('403');
  });

  it('is @RequireScope() too', () => {
    const scopeOf = (method: object): unknown => Reflect.getMetadata(REQUIRED_SCOPE, method);
    const { bake, me } = OwnController.prototype;
    expect([scopeOf(bake), scopeOf(me)]).toEqual([['cookies:eat', 'cookies:bake'], undefined]);
  });
});
