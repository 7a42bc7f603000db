import { Catch, Controller, Get, Header, HttpException, Module, Post } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import {
  CurrentPrincipal,
  GuardModule,
  Public,
  RequireDpop,
  RequireScope,
  type GuardModuleOptions,
  type Principal,
} from 'keks-guard';

/** What somebody else writes: an API that knows of Keks only what `keks/guard` exports. */

@Controller()
class CookiesController {
  @Get('cookies')
  @RequireScope('cookies:eat')
  eat(): string[] {
    return ['Cookie', 'Cookie', 'Cookie'];
  }

  @Post('cookies')
  @RequireScope('cookies:eat', 'cookies:bake')
  bake(): { baked: boolean } {
    return { baked: true };
  }

  @Get('me')
  me(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }

  @Get('cached')
  @Header('Cache-Control', 'private, max-age=5')
  cached(): string[] {
    return [];
  }

  @Public()
  @Get('menu')
  menu(): string[] {
    return ['Cookie'];
  }

  @Public()
  @Get('nobody')
  nobody(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }
}

/** Of an API that says by which address callers know it. */
@Controller('vault')
@RequireDpop()
export class VaultController {
  @Get()
  @RequireScope('cookies:eat')
  open(): string[] {
    return ['Cookie'];
  }
}

@Public()
@Controller('open')
class OpenController {
  @Get()
  read(): string[] {
    return [];
  }
}

/** As many APIs have one: it knows nothing of challenges. */
@Catch(HttpException)
export class CatchAll implements ExceptionFilter<HttpException> {
  catch(error: HttpException, host: ArgumentsHost): void {
    const response = host
      .switchToHttp()
      .getResponse<{ status(code: number): { send(body: object): void } }>();
    response.status(error.getStatus()).send({ message: error.message });
  }
}

export const PLATFORMS = ['Express', 'Fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface OwnApi {
  readonly url: string;
  readonly app: INestApplication;
  close(): Promise<void>;
}

export async function startOwnApi(
  platform: Platform,
  options: GuardModuleOptions,
  prepare: (app: INestApplication) => void = () => undefined,
  more: readonly Type[] = options.dpop ? [VaultController] : [],
): Promise<OwnApi> {
  @Module({
    imports: [GuardModule.forRoot(options)],
    controllers: [CookiesController, OpenController, ...more],
  })
  class OwnApiModule {}

  const adapter = platform === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(OwnApiModule, adapter, { logger: false, abortOnError: false });
  prepare(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, app, close: () => app.close() };
}
