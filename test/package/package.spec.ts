import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearerChallenge } from '../support/challenge-parser.js';
import { addClient } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { get, post, startTestApp, type TestApp } from '../support/test-app.js';
import { emptyFolder, install, newerNode, pack, run, start, type Program } from './support.js';

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly bin: { readonly keks: string };
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const EXAMPLE = 'examples/own-api';
/** What an API gets from `npm install keks` but must never load for the guard's sake. */
const HEAVY = [
  'typeorm',
  'pg',
  'bcrypt',
  'passport',
  'fastify',
  '@nestjs/platform-fastify',
  '@nestjs/swagger',
];

describe('the package', () => {
  const folder = emptyFolder();
  let tarball: string;

  beforeAll(() => {
    tarball = pack(folder.path);
  });

  afterAll(() => folder.remove());

  it('is well-formed (publint)', () => {
    run('.', 'npx', 'publint', 'run', tarball, '--strict');
  });

  it('has types that every resolver finds (Are The Types Wrong?)', () => {
    run('.', 'npx', 'attw', tarball, '--profile', 'esm-only', '--no-emoji', '--no-color');
  });

  it('has in it what runs, and no source, test or map', () => {
    const files = run('.', 'tar', '-tzf', tarball).trim().split('\n');
    for (const file of files)
      expect(file).toMatch(
        /^package\/(?:dist\/(?:src|migrations)\/.+\.(?:js|d\.ts)|src\/web\/page\/.+|node_modules\/(?:keks-guard|jose)\/.+|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
      );
    for (const entry of Object.values(manifest.exports))
      for (const file of typeof entry === 'string' ? [entry] : Object.values(entry))
        expect(files).toContain(file.replace('./', 'package/'));
  });

  describe('in an application outside the repository', () => {
    let keks: TestApp;
    let app: string;

    beforeAll(async () => {
      app = join(folder.path, 'own-api');
      cpSync(EXAMPLE, app, {
        recursive: true,
        filter: (path) => !/(?:node_modules|dist|package-lock\.json|\.tgz)$/.test(path),
      });
      // the example needs the guard alone; what is looked at here is that all of keks has it, too
      cpSync(pack(folder.path, 'keks-guard'), join(app, `keks-guard-${manifest.version}.tgz`));
      cpSync(tarball, join(app, `keks-${manifest.version}.tgz`));
      install(app, `./keks-${manifest.version}.tgz`);
      run(app, 'npm', 'run', 'build');
      keks = await startTestApp();
      await keks.addUser('CookieDestroyer');
    });

    afterAll(() => keks?.close());

    it('finds one Nest, the application’s own', () => {
      for (const name of ['common', 'core']) {
        expect(existsSync(join(app, 'node_modules/@nestjs', name))).toBe(true);
        expect(existsSync(join(app, 'node_modules/keks/node_modules/@nestjs', name))).toBe(false);
      }
    });

    it('compiles strictly, libraries included, whichever door is used', () => {
      const source = `
        import { GuardModule, NoVerdict, Public, TokenValidator, type Validation } from 'keks/guard';
        import { JwtValidator } from 'keks/guard/jwt';
        import { RemoteValidator } from 'keks/guard/remote';
        import { Guarded } from 'keks/guard/swagger';
        export class Own extends TokenValidator {
          override validate(token: string): Promise<Validation> {
            return token === '' ? Promise.reject(new NoVerdict('unreachable', 'No.')) : new Jwt().validate(token);
          }
        }
        class Jwt extends JwtValidator {
          constructor() { super({ issuer: 'https://a.example', audience: 'https://b.example' }); }
        }
        export const modules = [Own, Jwt].map((useClass) => GuardModule.forRoot({ realm: 'r', validator: { useClass } }));
        export const used = [Public(), Guarded('a', 'b'), RemoteValidator];`;
      writeFileSync(join(app, 'src', 'doors.ts'), source);
      run(app, 'npx', 'tsc', '--noEmit', '--skipLibCheck', 'false', '--lib', 'es2023,dom,dom.iterable');
    });

    it('has nothing of Swagger, TypeORM or Fastify loaded for the guard’s sake', () => {
      const hook =
        'export async function resolve(...a) { const r = await a[2](...a); console.log(r.url); return r }';
      writeFileSync(join(app, 'hook.mjs'), hook);
      const lines = [
        `import { register } from 'node:module';`,
        `register('./hook.mjs', import.meta.url);`,
        `for (const door of ['', '/remote', '/jwt']) await import('keks/guard' + door);`,
      ];
      writeFileSync(join(app, 'probe.mjs'), lines.join('\n'));
      const loaded = run(app, process.execPath, 'probe.mjs');
      for (const own of ['guard', 'remote-validator', 'jwt-validator'])
        expect(loaded).toContain(`/keks-guard/dist/${own}.js`);
      for (const name of HEAVY) expect(loaded).not.toContain(`/node_modules/${name}/`);
      expect(loaded).not.toMatch(/\/keks\/dist\/src\/(?!doors\/)/);
    });

    describe.each(['this Node', 'Node 24'])('on %s', (which) => {
      let node: string;
      let api: Program;
      let url: string;

      beforeAll(async () => {
        node = which === 'this Node' ? process.execPath : newerNode(folder.path);
        const { clientId, clientSecret } = await addClient(keks, {
          name: 'factory',
          scope: [],
          audience: [keks.config.AUDIENCE],
        });
        const PORT = String(await freePort());
        url = `http://127.0.0.1:${PORT}`;
        const environment = { AUTHORITY: keks.url, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, PORT };
        api = await start(app, [node, 'dist/main.js'], environment, url);
      });

      afterAll(() => api?.stop());

      it('the story is true: cookies with a token, none without, and none after the revoke', async () => {
        const refused = await get(url, '/cookies');
        expect(refused.status).toBe(401);
        expect(bearerChallenge(refused.headers.get('www-authenticate'))).toEqual({
          realm: 'OwnFactory',
          scope: 'cookies:eat',
        });
        const token = await keks.login('CookieDestroyer');
        const eaten = await get(url, '/cookies', token);
        expect([eaten.status, eaten.body]).toEqual([
          200,
          { cookies: ['Cookie', 'Cookie', 'Cookie'], for: expect.any(String) },
        ]);
        expect((await post(keks.url, '/revoke', { token })).status).toBe(200);
        const after = await get(url, '/cookies', token);
        expect([after.status, after.body]).toMatchObject([401, { error: 'invalid_token' }]);
      });

      it('the command line starts', () => {
        const cli = join(app, 'node_modules', 'keks', manifest.bin.keks);
        expect(run(app, node, cli, '--version').trim()).toBe(manifest.version);
        expect(run(app, node, cli, '--help')).toContain('Usage: keks');
      });
    });
  });
});
