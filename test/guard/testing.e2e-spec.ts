import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { GuardModule, TokenValidator } from 'keks-guard';
import { RemoteValidator } from 'keks-guard/remote';
import { TestValidator } from 'keks-guard/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TeaController } from '../support/tea.controller.js';

@Module({
  imports: [
    GuardModule.forRoot({
      realm: 'Tea',
      // as the documentation says it: what a test overrides is never made, and no secret is missing
      validator: {
        useFactory: () =>
          new RemoteValidator({
            introspectionEndpoint: 'https://auth.example',
            clientId: '',
            clientSecret: '',
          }),
      },
    }),
  ],
  controllers: [TeaController],
})
class AppModule {}

const tokens = new TestValidator();
let app: NestFastifyApplication;

beforeAll(async () => {
  const testing = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(TokenValidator)
    .useValue(tokens)
    .compile();
  app = testing.createNestApplication(new FastifyAdapter(), { logger: false });
  await app.init();
});

afterAll(() => app.close());

const statusFor = async (token?: string): Promise<number> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await app.inject({ url: '/tea', headers })).statusCode;
};

it('an API is tested with TestValidator in the place of its own', async () => {
  const token = tokens.issue('tea:pour');
  expect([await statusFor(), await statusFor(tokens.issue()), await statusFor(token)]).toEqual([
    401, 403, 200,
  ]);
  tokens.away = true;
  expect(await statusFor(token)).toBe(503);
  tokens.away = false;
  tokens.revoke(token);
  expect(await statusFor(token)).toBe(401);
});
