import {
  Controller,
  Delete,
  Get,
  Module,
  VersioningType,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  GuardModule,
  Public,
  RequireDpop,
  RequireScope,
  TokenValidator,
  type GuardModuleOptions,
  type Validation,
} from 'keks-guard';
import { bearerGuard as forExpress, type Middleware } from 'keks-guard/express';
import { bearerGuard as forFastify } from 'keks-guard/fastify';
import { JwtValidator, type JwtValidatorOptions } from 'keks-guard/jwt';
import { Guarded } from 'keks-guard/swagger';
import { TestValidator } from 'keks-guard/testing';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { newOwner, proof } from '../support/dpop.js';
import { PLATFORMS, startOwnApi } from '../support/own-api.js';

/** What a developer gets wrong: found at the start, and never a route that is open. */

const tokens = new TestValidator();
const GOOD = { realm: 'Bakery', validator: tokens };
/** As JavaScript passes it, or TypeScript without its stricter options. */
const anything = (options: object): never => options as never;

async function statusOf(
  controllers: readonly Type[],
  path: string,
  token?: string,
  method = 'GET',
): Promise<number> {
  const api = await startOwnApi(
    'Fastify',
    { ...GOOD, dpop: { publicUrl: 'https://api.example' } },
    undefined,
    controllers,
  );
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { status } = await fetch(api.url + path, { method, headers });
  await api.close();
  return status;
}

describe('options that cannot be meant', () => {
  const BAD: readonly (readonly [string, object, RegExp])[] = [
    ['no realm', { realm: undefined }, /realm/],
    ['a realm that no header can carry', { realm: 'Tea – Production' }, /realm/],
    ['a realm whose letters arrive otherwise', { realm: 'Bäckerei' }, /realm/],
    ['a realm of two lines', { realm: 'Tea\r\nX: y' }, /realm/],
    ['an audience from a variable that is not set', { audience: undefined }, /audience/],
    ['an empty audience', { audience: '' }, /audience/],
    [
      'an address of metadata that no header can carry',
      { resourceMetadata: 'https://tea.example/\n' },
      /resourceMetadata/,
    ],
    ['no validator', { validator: undefined }, /validator/],
    ['a validator that is none', { validator: {} }, /validator/],
  ];

  it.each(BAD)('%s: a TypeError from each guard, at the start', (_, bad, message) => {
    for (const make of [GuardModule.forRoot, forExpress, forFastify])
      expect(() => make(anything({ ...GOOD, ...bad }))).toThrow(
        expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) }),
      );
  });

  it('a resource is the audience, also where scopes are checked as they are written', () => {
    const resource = {
      ...GOOD,
      resource: 'https://tea.example',
      authorizationServers: ['https://a.example'],
    };
    expect(() => GuardModule.forRoot({ ...resource, scopes: ['tea:pour tea:brew'] })).toThrow(TypeError);
    expect(() => GuardModule.forRoot(anything({ ...resource, audience: undefined }))).toThrow(/audience/);
  });

  it('GuardModule without forRoot guards nothing, and so does not start', async () => {
    @Module({ imports: [GuardModule] })
    class OpenModule {}

    const start = NestFactory.create(OpenModule, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    await expect(start).rejects.toThrow(/GuardModule\.forRoot\(/);
  });

  it('a factory that makes no validator does not start either', async () => {
    const useFactory = (): TokenValidator => undefined as never;
    await expect(startOwnApi('Fastify', { realm: 'Bakery', validator: { useFactory } })).rejects.toThrow(
      /provider of the validator/,
    );
  });

  it('credentials of the feed without `revocations` are no JwtValidator that follows nothing', () => {
    const needed: JwtValidatorOptions = { issuer: 'https://a.example', audience: 'https://b.example' };
    for (const alone of [
      { clientId: 'c' },
      { clientSecret: 's' },
      { revocationsEndpoint: 'https://a.example/feed' },
      { introspectionEndpoint: 'https://a.example/ask' },
      { revocations: 'Exact' },
    ])
      expect(() => new JwtValidator(anything({ ...needed, ...alone }))).toThrow(TypeError);
    expect(() => new JwtValidator(needed)).not.toThrow();
    const shared = { cacheSeconds: 300, clientId: 'c', clientSecret: 's' };
    expect(() => new JwtValidator({ ...needed, ...shared, revocations: 'exact' })).toThrow(/cacheSeconds/);
  });
});

describe('a validator is whatever has its method', () => {
  const validate = async (token: string): Promise<Validation> => tokens.validate(token);

  it('an object of no class, with Nest as without', async () => {
    const token = tokens.issue('cookies:eat');
    const api = await startOwnApi('Fastify', { realm: 'Bakery', validator: { validate } });
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${api.url}/cookies`, { headers })).status).toBe(200);
    expect((await fetch(`${api.url}/cookies`)).status).toBe(401);
    await api.close();
  });

  it('of another copy of the package; and its decorators close routes here', async () => {
    vi.resetModules();
    const other = await import('keks-guard');
    const { TestValidator: OtherTestValidator } = await import('keks-guard/testing');
    const { Guarded: OtherGuarded } = await import('keks-guard/swagger');
    expect(other.RequireScope).not.toBe(RequireScope);
    const theirs = new OtherTestValidator();

    @Public()
    @Controller('shared')
    class SharedController {
      @Get('scope')
      @other.RequireScope('admin')
      scope(): void {}

      @Get('dpop')
      @other.RequireDpop()
      dpop(): void {}

      @Get('guarded')
      @OtherGuarded()
      guarded(): void {}
    }

    const api = await startOwnApi(
      'Fastify',
      { realm: 'Bakery', validator: theirs, dpop: { publicUrl: 'https://api.example' } },
      undefined,
      [SharedController],
    );
    const headers = { authorization: `Bearer ${theirs.issue('cookies:eat')}` };
    const statuses = await Promise.all(
      ['scope', 'dpop', 'guarded'].map(async (one) => {
        const [anybody, bearer] = await Promise.all([
          fetch(`${api.url}/shared/${one}`),
          fetch(`${api.url}/shared/${one}`, { headers }),
        ]);
        return [anybody.status, bearer.status];
      }),
    );
    expect(statuses).toEqual([
      [401, 403],
      [401, 401],
      [401, 200],
    ]);
    await api.close();
  });
});

describe('decorators: the nearest place counts', () => {
  @Public()
  @Controller('board')
  class MenuController {
    @Get()
    read(): void {}

    @Delete('scope')
    @RequireScope('menu:admin')
    scope(): void {}

    @Delete('dpop')
    @RequireDpop()
    dpop(): void {}

    @Delete('guarded')
    @Guarded()
    guarded(): void {}
  }

  it('a method that wants a token is closed in a class that is @Public()', async () => {
    const [token, admin] = [tokens.issue('menu:see'), tokens.issue('menu:admin')];
    expect(await statusOf([MenuController], '/board')).toBe(200);
    for (const path of ['/board/scope', '/board/dpop', '/board/guarded'])
      expect(await statusOf([MenuController], path, undefined, 'DELETE')).toBe(401);
    expect(await statusOf([MenuController], '/board/scope', token, 'DELETE')).toBe(403);
    expect(await statusOf([MenuController], '/board/scope', admin, 'DELETE')).toBe(200);
    expect(await statusOf([MenuController], '/board/dpop', token, 'DELETE')).toBe(401);
    expect(await statusOf([MenuController], '/board/guarded', token, 'DELETE')).toBe(200);
  });

  it('a class that wants a token is closed, whatever the class says that it extends; and the other way round', async () => {
    @RequireScope('menu:admin')
    @Controller('kitchen')
    class KitchenController extends MenuController {}

    @RequireScope('menu:admin')
    class ClosedController {
      @Get()
      read(): void {}
    }

    @Public()
    @Controller('street')
    class StreetController extends ClosedController {}

    expect(await statusOf([KitchenController], '/kitchen')).toBe(401);
    expect(await statusOf([KitchenController], '/kitchen', tokens.issue('menu:see'))).toBe(403);
    expect(await statusOf([StreetController], '/street')).toBe(200);
  });

  it('a place that opens and closes does not start', async () => {
    @Controller('both')
    class BothController {
      @Get()
      @Public()
      @RequireScope('menu:see')
      read(): void {}
    }

    @Public()
    @Guarded()
    @Controller('class')
    class BothClassController {
      @Get()
      read(): void {}
    }

    for (const [controller, name] of [
      [BothController, 'BothController.read()'],
      [BothClassController, 'BothClassController.read()'],
    ] as const)
      await expect(startOwnApi('Fastify', GOOD, undefined, [controller])).rejects.toThrow(name);
  });
});

describe('scopes that cannot be meant', () => {
  const BAD = [undefined, null, '', 'tea:pour tea:brew', 'tea"pour', 'tea\\pour', 'grün', ['tea:pour'], 7];

  it.each(BAD.map((scope) => [scope]))('%j: a TypeError where it is written', (scope) => {
    const guards = [RequireScope, Guarded, forExpress(GOOD), forFastify(GOOD)];
    for (const guard of guards) {
      expect(() => guard(scope as never)).toThrow(TypeError);
      expect(() => guard('tea:pour', scope as never)).toThrow(TypeError);
    }
  });

  it('none for @RequireScope(), and two of them on one place', () => {
    expect(() => (RequireScope as () => unknown)()).toThrow(TypeError);
    const twice = (first: MethodDecorator & ClassDecorator): void => {
      class TeaController {
        @first
        @RequireScope('b')
        brew(): void {}
      }
      expect(TeaController).toBeDefined();
    };
    expect(() => twice(RequireScope('a'))).toThrow(/twice/);
    expect(() => twice(Guarded('a'))).toThrow(/twice/);
    expect(() => twice(Guarded())).not.toThrow();
  });

  it('`app.use(guard)` without its brackets is a fault that is told, and no request that hangs', () => {
    const guard = forExpress(GOOD) as unknown as Middleware;
    const request = new IncomingMessage(new Socket());
    expect(() => guard(request, new ServerResponse(request), () => undefined)).toThrow(TypeError);
  });
});

/** A server of Node's own in front of a middleware, as Express 4 calls it: nobody looks at the promise. */
async function behind(...guards: Middleware[]): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const run = (at: number, fault?: unknown): void => {
      const guard = guards[at];
      if (fault !== undefined) response.statusCode = 500;
      if (fault !== undefined || !guard) response.end('[]');
      else void guard(request, response, (error) => run(at + 1, error));
    };
    run(0);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe('without Nest', () => {
  it('a log that throws makes no other answer, and ends no process', async () => {
    const validator = new TestValidator();
    validator.away = true;
    const warn = vi.fn(() => {
      throw new TypeError('no logger is bound');
    });
    const api = await behind(forExpress({ realm: 'Bakery', validator, warn })());
    const headers = { authorization: `Bearer ${validator.issue()}` };
    const ask = async (): Promise<number> => (await fetch(api.url, { headers })).status;
    expect([await ask(), await ask()]).toEqual([503, 503]);
    // the second line comes from a timer, where nobody could catch it
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2), { timeout: 60_000 });
    expect(await ask()).toBe(503);
    api.close();
  });

  it('a fault in what it touches goes to `next`', async () => {
    const guard = forExpress(GOOD)();
    const request = new IncomingMessage(new Socket());
    Object.assign(request, { url: 7, rawHeaders: ['Authorization', 'Bearer x'] });
    const next = vi.fn();
    await guard(request, new ServerResponse(request), next);
    expect(next).toHaveBeenCalledWith(expect.any(TypeError));
  });

  it('one proof is enough for a route behind two guards, and for one request', async () => {
    const validator = new TestValidator();
    const owner = await newOwner();
    const guard = forExpress({ realm: 'Bakery', validator, dpop: { publicUrl: 'https://api.example' } });
    const api = await behind(guard(), guard('tea:pour'));
    const token = validator.issue('tea:pour', { jkt: owner.jkt });
    const DPoP = await proof(owner, { method: 'GET', url: 'https://api.example/', token });
    const ask = async (): Promise<number> =>
      (await fetch(`${api.url}/`, { headers: { authorization: `DPoP ${token}`, DPoP } })).status;
    expect([await ask(), await ask()]).toEqual([200, 401]);
    api.close();
  });

  it.each([
    ['a good token', { authorization: 'good' }, 200],
    ['none', {}, 401],
    ['two that were joined', { authorization: 'good, Bearer x' }, 400],
    ['two', { authorization: ['good', 'good'] }, 400],
  ])('a request without raw lines, as adapters for functions make them: %s', async (_, given, status) => {
    const validator = new TestValidator();
    const token = validator.issue();
    const spell = (text: string): string => `Bearer ${text.replace('good', token)}`;
    const { authorization } = given as { authorization?: string | string[] };
    const request = new IncomingMessage(new Socket());
    request.url = '/';
    Object.assign(request.headers, {
      ...(authorization !== undefined && {
        authorization: Array.isArray(authorization) ? authorization.map(spell) : spell(authorization),
      }),
    });
    const response = new ServerResponse(request);
    let passed = false;
    await forExpress({ realm: 'Bakery', validator })()(request, response, () => (passed = true));
    expect(passed ? 200 : response.statusCode).toBe(status);
  });
});

describe.each(PLATFORMS)('the metadata of an API is where its challenges say: %s', (platform) => {
  const WITH: GuardModuleOptions = {
    ...GOOD,
    resource: 'https://tea.example/api',
    authorizationServers: ['https://a.example'],
  };

  it.each([
    ['a global prefix', (app: INestApplication) => void app.setGlobalPrefix('api')],
    [
      'a default version',
      (app: INestApplication) => void app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    ],
  ])('with %s', async (_, prepare) => {
    const api = await startOwnApi(platform, WITH, prepare);
    const answer = await fetch(`${api.url}/.well-known/oauth-protected-resource/api`);
    expect([answer.status, await answer.json(), answer.headers.get('cache-control')]).toEqual([
      200,
      expect.objectContaining({ resource: 'https://tea.example/api' }),
      'public, max-age=300',
    ]);
    await api.close();
  });
});
