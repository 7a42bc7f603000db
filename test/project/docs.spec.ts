import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['.', 'docs', 'docs/decisions', 'bench', 'examples/own-api', 'examples/mcp-server'];
const PAGES = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

const proseOf = (path: string): string =>
  readFileSync(join(ROOT, path), 'utf8').replaceAll(/^```.*?^```$/gms, '');

/** As GitHub names them. */
const anchorsOf = (path: string): string[] =>
  [...proseOf(path).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe.each(PAGES)('%s', (page) => {
  it('leads to files and headings that are there', () => {
    for (const [, target = ''] of proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
      expect(existsSync(join(ROOT, file)), `${page}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(file), `${page}: ${target}`).toContain(anchor);
    }
  });
});

describe('docs/', () => {
  it('has no page that nobody leads to', () => {
    const linked = PAGES.flatMap((page) =>
      [...proseOf(page).matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) =>
        relative(ROOT, resolve(ROOT, dirname(page), target)),
      ),
    );
    const pages = PAGES.filter((page) => page.startsWith('docs/') && !page.startsWith('docs/decisions/'));
    for (const page of pages) expect(linked).toContain(page);
  });
});

describe('CONTRIBUTING.md', () => {
  it('says where only of files and folders that are there', () => {
    const places: string[] = [];
    for (const [, cell = ''] of proseOf('CONTRIBUTING.md').matchAll(/^\| [^|]+\| ([^|]+)\|$/gm)) {
      let folder = '';
      for (const [, name = ''] of cell.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)) {
        // a name alone is in the folder of the one before
        const place = name.includes('/') ? name : join(folder, name);
        folder = name.endsWith('/') ? name : dirname(place);
        places.push(place);
      }
    }
    expect(places.length).toBeGreaterThan(40);
    expect(places.filter((place) => !existsSync(join(ROOT, place)))).toEqual([]);
  });
});
