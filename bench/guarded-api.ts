/** An API in a process of its own, which checks JWTs alone by a lease, with the same route unguarded. */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { GuardModule, Public, RequireScope } from 'keks-guard';
import { JwtValidator } from 'keks-guard/jwt';
import { profileOnSignal } from './profile/on-signal.js';

const { AUTHORITY = '', ISSUER = '', CREDENTIALS = '', PORT } = process.env;
const [clientId = '', clientSecret = ''] = Buffer.from(CREDENTIALS, 'base64').toString().split(/:(.*)/s);

const validator = new JwtValidator({
  issuer: ISSUER,
  audience: ISSUER,
  jwksUri: `${AUTHORITY}/.well-known/jwks.json`,
  introspectionEndpoint: `${AUTHORITY}/oauth/introspect`,
  revocationsEndpoint: `${AUTHORITY}/oauth/revocations`,
  revocations: 'exact',
  clientId,
  clientSecret,
});

@Controller()
class CookiesController {
  @Get('cookies')
  @RequireScope('cookies:eat')
  eat(): string[] {
    return ['Cookie', 'Cookie', 'Cookie'];
  }

  @Public()
  @Get('unguarded')
  take(): string[] {
    return ['Cookie', 'Cookie', 'Cookie'];
  }

  /** What is held, for the row of memory. */
  @Public()
  @Get('lease')
  lease(): object {
    globalThis.gc?.();
    return { ...validator.lease, bytes: process.memoryUsage().heapUsed };
  }
}

@Module({
  imports: [GuardModule.forRoot({ validator, realm: 'bench', audience: ISSUER })],
  controllers: [CookiesController],
})
class ApiModule {}

const app = await NestFactory.create<NestFastifyApplication>(ApiModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
await profileOnSignal();
