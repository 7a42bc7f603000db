import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder, install, newerNode, pack, run } from './support.js';

const MODULES = resolve('node_modules');
const MEGABYTE = 1_000_000;

/** An API that asks itself, and tells the statuses of its answers. The same text as ES modules and as CommonJS. */
const SOURCE = `
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CurrentPrincipal, GuardModule, RequireScope, TokenValidator, type Principal } from 'keks-guard';
import { bearerGuard, principalOf } from 'keks-guard/express';
import { bearerGuard as hook } from 'keks-guard/fastify';
import { JwtValidator } from 'keks-guard/jwt';
import { RemoteValidator } from 'keks-guard/remote';
import { TestValidator } from 'keks-guard/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const tokens = new TestValidator();

@Controller('tea')
class TeaController {
  @Get()
  @RequireScope('tea:pour')
  pour(@CurrentPrincipal() { subject }: Principal) {
    return { for: subject };
  }
}

@Module({ imports: [GuardModule.forRoot({ realm: 'Tea', validator: tokens })], controllers: [TeaController] })
class AppModule {}

async function ask(url: string): Promise<number[]> {
  const statuses: number[] = [];
  const good = tokens.issue('tea:pour');
  for (const token of [undefined, tokens.issue(), good]) {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: 'Bearer ' + token };
    statuses.push((await fetch(url, { headers })).status);
  }
  tokens.away = true;
  statuses.push((await fetch(url, { headers: { authorization: 'Bearer ' + good } })).status);
  tokens.away = false;
  return statuses;
}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const nest = await ask(await app.getUrl() + '/tea');
  await app.close();
  const guard = bearerGuard({ realm: 'Tea', validator: tokens, warn: () => undefined })('tea:pour');
  const server = createServer((request, response) => {
    void guard(request, response, () => response.end(principalOf(request).subject));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const plain = await ask('http://127.0.0.1:' + (server.address() as AddressInfo).port);
  server.close();
  server.closeAllConnections();
  const doors = [TokenValidator, JwtValidator, RemoteValidator, hook].map((door) => typeof door);
  process.stdout.write(JSON.stringify({ nest, plain, doors }));
}
void main();
`;

const OPTIONS = {
  target: 'es2022',
  strict: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
  typeRoots: [join(MODULES, '@types')],
  types: ['node'],
  rootDir: 'src',
  outDir: 'dist',
};

/** `commonjs` with the classic resolution, as many Nest applications have it: there `typesVersions` leads to the types. */
const KINDS = {
  module: { module: 'nodenext' },
  commonjs: {
    module: 'commonjs',
    moduleResolution: 'node10',
    esModuleInterop: true,
    ignoreDeprecations: '6.0',
  },
} as const;

describe('keks-guard, installed alone outside the repository', () => {
  const folder = emptyFolder();
  let tarball: string;
  let node24: string;

  beforeAll(() => {
    tarball = pack(folder.path, 'keks-guard');
    node24 = newerNode(folder.path);
  });

  afterAll(() => folder.remove());

  it('is well-formed, and has types that every resolver finds', () => {
    run('.', 'npx', 'publint', 'run', tarball, '--strict');
    run('.', 'npx', 'attw', tarball, '--profile', 'esm-only', '--no-emoji', '--no-color');
  });

  describe.each([11, 12])('with Nest %d', (major) => {
    const app = join(folder.path, `nest-${major}`);
    let before: Size;
    let after: Size;

    beforeAll(() => {
      mkdirSync(app);
      writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true }));
      const nest = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@${major}`);
      install(app, ...nest, 'reflect-metadata', 'rxjs');
      before = sizeOf(join(app, 'node_modules'));
      install(app, tarball);
      after = sizeOf(join(app, 'node_modules'));
    });

    it('is at most 3 packages and 1 MB more than Nest alone', () => {
      expect(after.packages - before.packages).toBeGreaterThan(0);
      expect(after.packages - before.packages).toBeLessThanOrEqual(3);
      expect(after.bytes - before.bytes).toBeLessThan(MEGABYTE);
    });

    it.each(['module', 'commonjs'] as const)('%s: compiles, and guards on Node 20 and 24', (type) => {
      const home = join(app, type);
      mkdirSync(join(home, 'src'), { recursive: true });
      writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, type }));
      writeFileSync(join(home, 'src', 'main.ts'), SOURCE);
      const compilerOptions = { ...OPTIONS, ...KINDS[type] };
      writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
      run(home, process.execPath, join(MODULES, 'typescript/bin/tsc'));
      const statuses = [401, 403, 200, 503];
      for (const node of [process.execPath, node24])
        expect(JSON.parse(run(home, node, 'dist/main.js'))).toEqual({
          nest: statuses,
          plain: statuses,
          doors: ['function', 'function', 'function', 'function'],
        });
    });
  });
});

interface Size {
  readonly packages: number;
  readonly bytes: number;
}

function sizeOf(folder: string): Size {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const paths = entries.map((one) => join(one.parentPath, one.name));
  return {
    packages: paths.filter((path) => /node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(path))
      .length,
    bytes: paths.reduce((sum, path) => sum + statSync(path).size, 0),
  };
}
