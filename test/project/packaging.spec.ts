import { DCLinter } from 'dclint';
import { validate } from 'dockerfile-utils';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/config.js';
import { trustedProxies } from '../../src/config/trusted-proxies.js';
import { SETTINGS } from '../../src/config/settings.js';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly ipam?: { config: { subnet: string }[] } } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const PINNED = /^[a-z0-9./-]+:\d+\.\d+(?:\.\d+)?-[a-z0-9-]+$/;
/** What somebody who runs `docker compose up` has to choose. */
const CHOSEN: Readonly<Record<string, string>> = {
  DOMAIN: 'auth.example.com',
  POSTGRES_PASSWORD: '0123456789abcdef0123456789abcdef0123456789abcdef',
  SECRET_KEY: '6b656b736521206c65636b657221206b656b736521206c65636b657221206b6b',
};

/** Instructions, continued lines joined, comments left out. */
function instructions(): { keyword: string; rest: string }[] {
  const text = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ keyword: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }));
}

function all(keyword: string): string[] {
  return instructions().flatMap((one) => (one.keyword === keyword ? [one.rest] : []));
}

describe('Dockerfile', () => {
  it('passes the linter', () => {
    expect(validate(readFileSync('Dockerfile', 'utf8'))).toEqual([]);
  });

  it('stands on a pinned image of a Node that the program supports', () => {
    const images = all('FROM').map((rest) => rest.split(' ')[0] ?? '');
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(PINNED);
    const [, major, minor] = /^node:(\d+)\.(\d+)\./.exec(images[0] ?? '') ?? [];
    expect(Number(major)).toBe(24);
    expect(Number(minor)).toBeGreaterThanOrEqual(11);
  });

  it('ends as an unprivileged user who runs node itself, so that signals reach it', () => {
    expect(all('USER').at(-1)).toBe('node');
    const command = JSON.parse(all('CMD').at(-1) ?? '') as string[];
    expect(command[0]).toBe('node');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
    // a container has its environment, and no file of settings
    const bare = scripts.start?.replace(' $(test -f .env && echo --env-file=.env)', '');
    expect(bare).toContain(`exec ${command.join(' ')}`);
  });

  it('asks the process whether it is alive', () => {
    const [health = ''] = all('HEALTHCHECK');
    const command = JSON.parse(health.slice(health.indexOf('['))) as string[];
    expect(command.slice(0, 2)).toEqual(['node', '-e']);
    expect(command[2]).toContain('/health/live');
    expect(() => new Function(command[2] ?? '')).not.toThrow();
  });

  it('installs no embedded PostgreSQL, runs no install script, and leaves the tools of the build behind', () => {
    for (const line of all('RUN').filter((rest) => /npm (?:ci|prune)/.test(rest))) {
      expect(line).toContain('--omit=optional');
      expect(line).toContain('--ignore-scripts');
    }
    expect(all('RUN').join('\n')).toContain('npm prune --omit=dev');
  });

  it('copies only what exists and what .dockerignore lets through', () => {
    const admitted = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = all('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    for (const source of sources) expect(existsSync(source), source).toBe(true);
    expect(sources.sort()).toEqual(admitted.sort());
  });
});

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifestOf = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;

describe.each([
  ['the program', 'package.json', ['src', 'migrations']],
  ['the guard', 'packages/guard/package.json', ['packages/guard/src']],
])('%s', (_, file, folders) => {
  it('imports at run time only what is installed for production', () => {
    const { dependencies, peerDependencies } = manifestOf(file);
    const installed = { ...dependencies, ...peerDependencies };
    const packages = new Set<string>();
    for (const folder of folders)
      for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts')) continue;
        const text = readFileSync(`${folder}/${file}`, 'utf8');
        for (const [, name = ''] of text.matchAll(/^(?!import type).*(?:from |import\()'([^'.][^']*)'/gm))
          if (!isBuiltin(name)) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
      }
    expect(packages.size).toBeGreaterThan(3);
    expect([...packages].filter((name) => !(name in installed))).toEqual([]);
  });
});

describe('packages/guard', () => {
  const guard = manifestOf('packages/guard/package.json');

  it('depends on jose alone, and lets an application bring its own Nest, 11 or 12', () => {
    expect(Object.keys(guard.dependencies)).toEqual(['jose']);
    for (const range of Object.values(guard.peerDependencies)) expect(range).toBe('^11.0.0 || ^12.0.0');
  });

  it('has the version of Keks, which depends on that very one', () => {
    const keks = manifestOf('package.json');
    expect([guard.version, keks.dependencies['keks-guard']]).toEqual([keks.version, keks.version]);
  });
});

describe('docker-compose.yml', () => {
  const source = readFileSync('docker-compose.yml', 'utf8');
  const compose = parse(source) as Compose;

  it('passes the linter', () => {
    const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
    const results: readonly { messages: object[] }[] = linter.lintFiles(['docker-compose.yml'], false);
    expect(results.flatMap((result) => result.messages)).toEqual([]);
    expect(results).toHaveLength(1);
  });

  it('runs PostgreSQL, Keks and a TLS front, each pinned or built here', () => {
    expect(Object.keys(compose.services)).toEqual(['caddy', 'keks', 'postgres']);
    for (const [name, service] of Object.entries(compose.services))
      if (service.build === undefined) expect(service.image, name).toMatch(PINNED);
    expect(compose.services['postgres']?.image).toMatch(/^postgres:18\./);
  });

  it('opens no port but those of the TLS front', () => {
    const open = Object.entries(compose.services).filter(([, service]) => service.ports);
    expect(open.map(([name]) => name)).toEqual(['caddy']);
    expect(open[0]?.[1].ports).toEqual(['0.0.0.0:80:80', '0.0.0.0:443:443']);
  });

  it('names what it mounts and joins', () => {
    for (const service of Object.values(compose.services)) {
      for (const network of service.networks ?? []) expect(compose.networks).toHaveProperty(network);
      for (const volume of service.volumes ?? []) {
        const from = volume.split(':')[0] ?? '';
        if (from.startsWith('./')) expect(existsSync(from), from).toBe(true);
        else expect(compose.volumes).toHaveProperty(from);
      }
    }
  });

  it('has no secret in it, and says what to do where one is missing', () => {
    const used = [...source.matchAll(/\$\{(\w+)(:\?[^}]+)?\}/g)];
    expect(new Set(used.map(([, name]) => name))).toEqual(new Set(Object.keys(CHOSEN)));
    for (const [text, , hint] of used) expect(hint, text).toBeTruthy();
  });

  it('gives Keks an environment that it starts with', () => {
    const given = { ...imageEnvironment(), ...filled(compose.services['keks']?.environment ?? {}) };
    const { NODE_ENV, ...settings } = given;
    expect(NODE_ENV).toBe('production');
    for (const name of Object.keys(settings)) expect(SETTINGS).toHaveProperty(name);
    const config = loadConfig(given);
    expect(config).toMatchObject({
      embedded: false,
      DEMO: false,
      HOST: '0.0.0.0',
      PORT: 3000,
      ISSUER: 'https://auth.example.com',
      TRUST_PROXY: trustedProxies(compose.networks['front']?.ipam?.config[0]?.subnet ?? ''),
    });
    expect(config.DATABASE_URL).toContain('@postgres:5432/');
    expect(readFileSync('Caddyfile', 'utf8')).toContain(`reverse_proxy keks:${config.PORT}`);
    expect(all('EXPOSE')).toEqual([String(config.PORT)]);
  });
});

function filled(environment: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(environment).map(([name, value]) => [
    name,
    value.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, variable: string) => CHOSEN[variable] ?? ''),
  ]);
  return Object.fromEntries(values) as Record<string, string>;
}

function imageEnvironment(): Record<string, string> {
  const pairs = all('ENV').flatMap((rest) => rest.split(' ').map((pair) => pair.split('=')));
  return Object.fromEntries(pairs) as Record<string, string>;
}
