import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

interface NestCli {
  readonly sourceRoot: string;
  readonly entryFile: string;
  readonly generateOptions: { readonly spec: boolean };
  readonly compilerOptions: { readonly tsConfigPath: string; readonly deleteOutDir: boolean };
}

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
}

const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const cli = json<NestCli>('nest-cli.json');
const config = ts.getParsedCommandLineOfConfigFile(cli.compilerOptions.tsConfigPath, undefined, {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (flaw) => expect.unreachable(String(flaw.messageText)),
});

describe('nest-cli.json', () => {
  it('names the configuration that `npm run build` builds, and takes no output away that is still good', () => {
    const tsConfig = cli.compilerOptions.tsConfigPath;
    for (const script of ['build', 'dev'])
      expect(readFileSync(`scripts/${script}.mjs`, 'utf8')).toContain(`'${tsConfig}'`);
    expect(cli.compilerOptions.deleteOutDir).toBe(false);
  });

  it('starts what `npm start` starts', () => {
    const outDir = relative(process.cwd(), config?.options.outDir ?? '');
    expect(json<Package>('package.json').scripts['start']).toContain(` ${outDir}/${cli.entryFile}.js`);
    expect(config?.fileNames.map((name) => relative(process.cwd(), name))).toContain(`${cli.entryFile}.ts`);
  });

  it('generates into the folder of the application module, whose decorator takes what is generated', () => {
    expect(readFileSync(`${cli.sourceRoot}/app.module.ts`, 'utf8')).toMatch(/^@Module\(\{.*\}\)$/ms);
  });

  it('generates what builds: no test of a framework that is not here, no stub that the compiler refuses', () => {
    expect(cli.generateOptions.spec).toBe(false);
    // a generated service has parameters that it does not use yet: the linter says so, and the build goes on
    expect(config?.options.noUnusedParameters ?? false).toBe(false);
  });

  it('asks nothing of `npm ci`: the CLI wants a newer Node than we support', () => {
    expect(Object.keys(json<{ packages: object }>('package-lock.json').packages)).not.toContain(
      'node_modules/@nestjs/cli',
    );
  });
});
