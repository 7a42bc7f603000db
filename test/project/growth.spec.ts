import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IN_MEMORY, TABLES } from '../support/growth.js';
import { collectionsOf, keptCollections } from '../support/kept-collections.js';

const ROOT = resolve(import.meta.dirname, '../..');
const textOf = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');

describe('what can grow', () => {
  it('in memory is on the list with what bounds it, each and nothing else', () => {
    const found = keptCollections(['src', 'packages/guard/src']).filter((one) => !one.startsWith('src/cli/'));
    expect(found, 'what can grow belongs into test/support/growth.ts').toEqual(Object.keys(IN_MEMORY).sort());
  });

  it('in tables is on the list, each that a migration makes', () => {
    const made = textOf('migrations/index.ts')
      .match(/\.\/\d+-[^']+(?=\.js)/g)!
      .flatMap(
        (name) =>
          textOf(`migrations/${name}.ts`).match(/CREATE (?:UNLOGGED )?TABLE (\w+)(?! PARTITION OF)\b/g) ?? [],
      )
      .map((text) => text.replace(/^CREATE (?:UNLOGGED )?TABLE /, ''))
      .filter((name) => !name.endsWith('_default'));
    expect([...new Set(made), 'migrations'].sort()).toEqual(Object.keys(TABLES).sort());
  });

  it('and is flooded elsewhere where the list says so', () => {
    for (const [place, bound] of Object.entries(IN_MEMORY))
      if ('elsewhere' in bound) {
        expect(existsSync(resolve(ROOT, bound.elsewhere)), place).toBe(true);
        const [file = ''] = place.split('#');
        const owner = /export class (\w+)/.exec(textOf(file))?.[1] ?? 'nobody';
        expect(textOf(bound.elsewhere)).toContain(owner);
      }
  });

  it('is found: of a class, of a module, and of a function that hands it on', () => {
    const text = `
      const CONSTANT = new Set(['a']);
      const seen = new Map<string, number>();
      export class Things {
        private readonly kept = new Set<string>();
        private list: string[] = [];
        #hidden = new WeakMap<object, string>();
        constructor() { this.later = new Map(); }
        work(all: string[]) { const local = new Map(); all.forEach((one) => local.set(one, 1)); return local.size; }
      }
      export function install(server: Server) {
        const known = new Map();
        server.on('request', (request) => known.set(request.url, request));
      }`;
    const names = collectionsOf(resolve(ROOT, 'src/things.ts'), text).map((one) => one.split('#')[1]);
    expect(names.sort()).toEqual(['hidden', 'kept', 'known', 'later', 'list', 'seen']);
  });
});
