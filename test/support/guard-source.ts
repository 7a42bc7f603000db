import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const GUARD = resolve(import.meta.dirname, '../../packages/guard');

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly default: string } | string>>;
}

/** Each door of `keks-guard` leads tests to its source: what they see needs no build, and has no other copy beside it. */
export function guardSource(): { find: RegExp; replacement: string }[] {
  const { exports } = JSON.parse(readFileSync(`${GUARD}/package.json`, 'utf8')) as Manifest;
  return Object.entries(exports).flatMap(([door, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace(/^\.\/dist\/(.+)\.js$/, 'src/$1.ts');
    return [{ find: new RegExp(`^keks-guard${door.slice(1)}$`), replacement: resolve(GUARD, source) }];
  });
}
