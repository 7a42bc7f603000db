import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');

/** Cells of a table's rows. */
const rowsOf = (page: string): string[][] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('docs/opaque-or-jwt.md', () => {
  const measured = new Map(
    rowsOf(text('bench/README.md')).flatMap(([, , name = '', , , , figure = '']) => {
      const row = /^`([\w-]+)`$/.exec(name)?.[1];
      return row === undefined ? [] : [[row, figure] as const];
    }),
  );

  it('tells the figures that the table of bench/README.md begins with', () => {
    const told = [
      ...text('docs/opaque-or-jwt.md').matchAll(/([\d.]+ \([\d.]+ to [\d.]+\)) of .*?\(row `([\w-]+)`\)/g),
    ];
    expect(told.map(([, , row]) => row)).toEqual(['guard', 'jwt']);
    for (const [, figure = '', row = ''] of told) expect(measured.get(row), row).toMatch(startOf(figure));
  });
});

describe('docs/guard-options.md', () => {
  const page = text('docs/guard-options.md');
  it.each([
    ['GuardModule.forRoot, bearerGuard', ['guard.module.ts', 'GuardModuleOptions']],
    ['RemoteValidator', ['remote-validator.ts', 'RemoteValidatorOptions']],
    ['JwtValidator', ['jwt-validator.ts', 'JwtValidatorOptions']],
  ] as const)('%s: every option, and no other', (heading, [file, name]) => {
    const section = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
    const told = rowsOf(section).flatMap(([, cell = '']) => /^`(\w+)`$/.exec(cell)?.[1] ?? []);
    expect(told.toSorted()).toEqual(membersOf(`packages/guard/src/${file}`, name));
  });
});

function startOf(figure: string): RegExp {
  return new RegExp(`^${figure.replaceAll(/[.()]/g, '\\$&')}`);
}

/** What is imported from packages has nothing to do with it, and to read it takes seconds. */
const OPTIONS = { lib: ['lib.es5.d.ts'], skipLibCheck: true, types: [] };

/** As the compiler sees it: what it takes from others too. */
function membersOf(file: string, name: string): string[] {
  const path = resolve(ROOT, file);
  const host = ts.createCompilerHost(OPTIONS);
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text: name }) => {
      const resolvedFileName = resolve(dirname(from), name.replace(/\.js$/, '.ts'));
      const isOurs = name.startsWith('.');
      return { resolvedModule: isOurs ? { resolvedFileName, extension: ts.Extension.Ts } : undefined };
    });
  const program = ts.createProgram([path], OPTIONS, host);
  const source = program.getSourceFile(path);
  const found = source?.statements.find(
    (one): one is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(one) && one.name.text === name,
  );
  if (!found) throw new Error(`${name} is not in ${file}`);
  const checker = program.getTypeChecker();
  return checker
    .getTypeAtLocation(found.name)
    .getProperties()
    .map((one) => one.name)
    .toSorted();
}
