import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const semver = createRequire(import.meta.url)('semver') as {
  satisfies(version: string, range: string): boolean;
  minVersion(range: string): { version: string } | null;
};

interface Manifest {
  readonly engines: { readonly node: string };
  readonly overrides: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface Locked {
  readonly version: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly deprecated?: string;
}

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const { engines, overrides } = read<Manifest>('package.json');
const { packages } = read<{ packages: Readonly<Record<string, Locked>> }>('package-lock.json');
const installed = Object.entries(packages).filter(([path]) => path !== '');
/** The oldest of each line that Keks supports, and the one of this gate. */
const NODES = [
  ...engines.node.split('||').map((range) => semver.minVersion(range)?.version ?? range),
  '20.20.0',
];
/** What a parent asks for by itself, and the oldest Node for which that is made. */
const UNTIL_NOW: Readonly<Record<string, readonly [range: string, node: string]>> = {
  '@fastify/static > content-disposition': ['^3.0.0', '22.0.0'],
  '@nestjs/common > file-type': ['22.3.0', '22.0.0'],
  'light-my-request > cookie': ['^2.0.0', '22.0.0'],
};

describe('npm ci', () => {
  it('has nothing to say: every package is for every Node that Keks is for, and none is deprecated', () => {
    const loud = installed.filter(
      ([, { engines: wanted, deprecated }]) =>
        deprecated !== undefined || NODES.some((node) => !semver.satisfies(node, wanted?.node ?? '*')),
    );
    expect(NODES.length).toBeGreaterThan(2);
    expect(loud.map(([path, { version }]) => `${path} ${version}`)).toEqual([]);
  });

  describe.each(Object.entries(overrides))('the override below %s', (parent, children) => {
    it.each(Object.entries(children))('of %s is in force, and needed still', (child, version) => {
      const paths = installed.map(([path]) => path).filter((path) => path.endsWith(`node_modules/${parent}`));
      expect(paths).not.toEqual([]);
      for (const path of paths) {
        const nested = packages[`${path}/node_modules/${child}`] ?? packages[`node_modules/${child}`];
        expect(nested?.version).toBe(version);
        const [range, node] = UNTIL_NOW[`${parent} > ${child}`] ?? ['unknown', '0.0.0'];
        expect(
          packages[path]?.dependencies?.[child],
          `${parent} asks for another ${child} than before: if that is made for Node 20, take the override out of package.json; if not, write its range down here`,
        ).toBe(range);
        expect(
          NODES.some((oldest) => !semver.satisfies(oldest, `>=${node}`)),
          `Keks is for Node ${node} and newer only: take the override out of package.json`,
        ).toBe(true);
        expect(semver.satisfies(version, range), `${parent} takes ${version} by itself`).toBe(false);
      }
    });
  });
});

describe('the parts of the gate', () => {
  const { scripts } = read<{ scripts: Readonly<Record<string, string>> }>('package.json');
  const tests = Object.keys(scripts).filter((name) => /^test(:|$)/.test(name));

  it('are all that are called a test, in .ci/run, but for what needs the internet; and `npm run check` has those that need nothing but npm ci', () => {
    const [, parts = ''] = /^parts=\((.*)\)$/m.exec(readFileSync('.ci/run', 'utf8')) ?? [];
    // it fetches generators from five registries
    const wanted = tests.filter((name) => name !== 'test:clients');
    expect(parts.split(' ').sort()).toEqual(wanted.sort());
    for (const name of ['npm test', 'npm run test:processes'])
      expect(scripts['check']?.split(' && ')).toContain(name);
  });

  it('run every vitest project, each of them once, and files that are there', () => {
    const config = readFileSync('vitest.config.ts', 'utf8');
    const projects = [...config.matchAll(/^ {10}name: '([^']+)'/gm)].map(([, name]) => name);
    const run = tests.flatMap((name) => [...(scripts[name] ?? '').matchAll(/--project (\S+)/g)]);
    expect(run.map(([, name]) => name).sort()).toEqual(projects.sort());
    expect(projects.length).toBeGreaterThan(2);
    const named = [...config.matchAll(/'(test\/[^'*]+\.ts)'/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('the last line of .ci/run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-reports-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const report = (name: string, passed: number, failed: number, skipped: number): string => {
    const counts = {
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: skipped,
      numTodoTests: 0,
    };
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify({ ...counts, success: failed === 0 }));
    return file;
  };
  const sum = (...files: string[]): [string, number | null] => {
    const { stdout, status } = spawnSync(process.execPath, ['scripts/sum-reports.mjs', ...files], {
      encoding: 'utf8',
    });
    return [stdout, status];
  };

  it('is the sum over all parts', () => {
    const files = [report('a', 2_700, 0, 1), report('b', 12, 0, 0)];
    expect(sum(...files)).toEqual(['2712 passed, 0 failed, 1 skipped\n', 0]);
  });

  it('is there too when one is red, and when one did not run, and the exit is 1', () => {
    const [good, bad] = [report('good', 5, 0, 0), report('bad', 3, 2, 1)];
    expect(sum(good, bad)).toEqual(['8 passed, 2 failed, 1 skipped\n', 1]);
    expect(sum(good, join(folder, 'absent'))).toEqual(['5 passed, 0 failed, 0 skipped\n', 1]);
    expect(sum(good, report('empty', 0, 0, 0))).toEqual(['5 passed, 0 failed, 0 skipped\n', 1]);
    expect(sum()).toEqual(['0 passed, 0 failed, 0 skipped\n', 1]);
  });
});
