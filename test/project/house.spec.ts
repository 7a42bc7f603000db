import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');
const GUARD = resolve(import.meta.dirname, '../../packages/guard/src');
/** Top to bottom. A room may use those on its own floor and below. */
const FLOORS = [
  ['cli', 'server', 'doors'],
  ['cookies', 'ops', 'web'],
  [
    'auth/account',
    'auth/admin',
    'auth/api-keys',
    'auth/authorize',
    'auth/device',
    'auth/oauth',
    'auth/registration',
    'auth/resets',
    'auth/restore',
    'auth/story',
  ],
  ['auth/clients', 'auth/discovery', 'auth/scopes', 'auth/users'],
  ['auth/receivers', 'auth/tokens'],
  ['auth/grants', 'auth/keys'],
  ['auth/audit', 'auth/dpop', 'auth/leases', 'auth/throttle'],
  ['auth/lists', 'auth/outbound', 'auth/secrets', 'auth/telemetry'],
  ['database', 'http'],
  ['tracing'],
  ['config'],
];

/** A folder with all below it; in `auth/` a folder there. A file beside the folders stands for itself. */
function roomOf(file: string): string {
  const parts = relative(SRC, file).split('/');
  return parts.slice(0, Math.min(parts[0] === 'auth' ? 2 : 1, parts.length)).join('/');
}

const house = new Map<string, Map<string, string>>();
const sources = new Map<string, string>();
for (const name of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)) {
  const file = join(SRC, name);
  const room = house.get(roomOf(file)) ?? new Map<string, string>();
  house.set(roomOf(file), room);
  sources.set(file, readFileSync(file, 'utf8'));
  // types too: whoever needs a type needs its room
  for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles)
    if (
      fileName.startsWith('.') &&
      roomOf(join(dirname(file), fileName.replace(/\.js$/, '.ts'))) !== roomOf(file)
    )
      room.set(roomOf(join(dirname(file), fileName.replace(/\.js$/, '.ts'))), `${name} imports ${fileName}`);
}

function reachedFrom(room: string, seen = new Set<string>()): Set<string> {
  for (const next of house.get(room)?.keys() ?? []) if (!seen.has(next)) reachedFrom(next, seen.add(next));
  return seen;
}

/** The feature modules of the authority, by what their decorators say. */
const modules = [...sources]
  .filter(([file]) => folderOf(file).startsWith('auth') && file.endsWith('.module.ts'))
  .map(([file, text]) => ({
    room: folderOf(file),
    text,
    providers: listed(text, 'providers'),
    exported: listed(text, 'exports'),
  }));

/** Whose module a provider belongs to: the folder in `auth/`, or `auth` itself. */
function folderOf(file: string): string {
  return roomOf(file).replace(/\/[^/]+\.ts$/, '');
}

function listed(text: string, member: string): string[] {
  return (new RegExp(`${member}: \\[([^\\]]*)\\]`).exec(text)?.[1] ?? '').match(/\w+/g) ?? [];
}

describe('src/', () => {
  it('has no rooms that reach each other', () => {
    expect(house.size).toBeGreaterThan(20);
    expect([...house.keys()].filter((room) => reachedFrom(room).has(room))).toEqual([]);
  });

  it('has nothing loose but the two programs, what they are made of and their version', () => {
    const loose = readdirSync(SRC).filter((name) => name.endsWith('.ts'));
    expect(loose.toSorted()).toEqual(['app.module.ts', 'cli.ts', 'main.ts', 'version.ts']);
  });

  it('gives each provider of the authority to one module, which stands in its folder and says what it owns', () => {
    const owners = new Map<string, string[]>();
    for (const { room, text, providers } of modules) {
      expect(text).toMatch(/\/\*\*[\s*]+Owns [^/]+ never [^/]+\*\/\n@Module/i);
      for (const provider of providers) owners.set(provider, [...(owners.get(provider) ?? []), room]);
    }
    expect(owners.size).toBeGreaterThan(50);
    const injectables = [...sources].flatMap(([file, text]) =>
      roomOf(file).startsWith('auth') && !file.endsWith('.guard.ts')
        ? [...text.matchAll(/@Injectable\(\)\nexport class (\w+)(?! implements CanActivate)\b/g)].map(
            ([, name = '']) => [name, [folderOf(file)]] as const,
          )
        : [],
    );
    expect(Object.fromEntries(owners)).toEqual(Object.fromEntries(injectables));
  });

  it('leaves what a module does not export to the folder of the module', () => {
    const code = [...sources].map(
      ([file, text]) =>
        [folderOf(file), text.replace(/\/\*[^]*?\*\/|\/\/.*|^import type [^;]*;/gm, '')] as const,
    );
    const trespasses = modules.flatMap(({ room, providers, exported }) =>
      providers
        .filter((provider) => !exported.includes(provider))
        .flatMap((provider) =>
          code.flatMap(([folder, text]) =>
            folder !== room && new RegExp(`\\b${provider}\\b`).test(text) ? [`${folder}: ${provider}`] : [],
          ),
        ),
    );
    expect(trespasses).toEqual([]);
  });

  it("names its files kebab-case.role.ts, the role being one of Nest's words", () => {
    const ROLE = /^(module|controllers?|services?|guard|strategy|filter|pipe|entity|schemas|sql)$/;
    const odd = [SRC, GUARD]
      .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => {
        const [stem = '', ...roles] = (name.split('/').at(-1) ?? '').slice(0, -'.ts'.length).split('.');
        return (
          !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem) ||
          roles.length > 1 ||
          !roles.every((role) => ROLE.test(role))
        );
      });
    expect(odd).toEqual([]);
  });

  it('has a floor for each room, and imports that go down only', () => {
    const floor = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));
    expect([...house.keys()].filter((room) => !room.endsWith('.ts') && floor(room) < 0)).toEqual([]);
    const upward = [...house].flatMap(([room, uses]) =>
      [...uses].flatMap(([other, line]) => (floor(other) >= 0 && floor(other) < floor(room) ? [line] : [])),
    );
    expect(upward).toEqual([]);
  });
});
