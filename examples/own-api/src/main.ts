import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CurrentPrincipal, GuardModule, RequireScope, type Principal } from 'keks-guard';
import { RemoteValidator } from 'keks-guard/remote';

const {
  AUTHORITY = 'http://127.0.0.1:3000',
  CLIENT_ID = '',
  CLIENT_SECRET = '',
  PORT = '4000',
} = process.env;

const validator = new RemoteValidator({
  introspectionEndpoint: `${AUTHORITY}/oauth/introspect`,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
});

@Controller('cookies')
class CookiesController {
  @Get()
  @RequireScope('cookies:eat')
  eat(@CurrentPrincipal() { subject }: Principal) {
    return { cookies: ['Cookie', 'Cookie', 'Cookie'], for: subject };
  }
}

@Module({
  imports: [GuardModule.forRoot({ realm: 'OwnFactory', validator })],
  controllers: [CookiesController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error', 'fatal'] });
await app.listen(PORT, '127.0.0.1');
