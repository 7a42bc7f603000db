import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');
/** Top to bottom. A room may use those on its own floor and below. */
const FLOORS = [
  ['cli', 'server'],
  ['cookies', 'ops', 'web'],
  ['auth/account', 'auth/admin', 'auth/api-keys', 'auth/oauth', 'auth/restore', 'auth/story'],
  ['auth/clients', 'auth/discovery', 'auth/users'],
  ['auth/tokens'],
  ['auth/grants', 'auth/keys'],
  ['auth/audit', 'auth/secrets', 'auth/throttle'],
  ['database', 'http'],
  ['guard', 'tracing'],
  ['config'],
];

/** A folder with all below it; in `auth/` a folder there. A file beside the folders stands for itself. */
function roomOf(file: string): string {
  const parts = relative(SRC, file).split('/');
  return parts.slice(0, Math.min(parts[0] === 'auth' ? 2 : 1, parts.length)).join('/');
}

const house = new Map<string, Map<string, string>>();
for (const name of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)) {
  const file = join(SRC, name);
  const room = house.get(roomOf(file)) ?? new Map<string, string>();
  house.set(roomOf(file), room);
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

describe('src/', () => {
  it('has no rooms that reach each other', () => {
    expect(house.size).toBeGreaterThan(20);
    expect([...house.keys()].filter((room) => reachedFrom(room).has(room))).toEqual([]);
  });

  it('has nothing loose but the two programs, what they are made of and their version', () => {
    const loose = readdirSync(SRC).filter((name) => name.endsWith('.ts'));
    expect(loose.toSorted()).toEqual(['app.module.ts', 'cli.ts', 'main.ts', 'version.ts']);
  });

  it("names its files kebab-case.role.ts, the role being one of Nest's words", () => {
    const ROLE = /^(module|controllers?|services?|guard|strategy|filter|pipe|entity|schemas|sql)$/;
    const odd = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
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
