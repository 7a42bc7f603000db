import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { format, resolveConfig } from 'prettier';
import { SETTINGS } from '../../src/config/settings.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/process.js';
import { loose } from '../support/program.js';

/**
 * Runs README.md, and the quick start. Their shell blocks run in their order, in a copy of this tree that has these node_modules. What a
 * reader would not do is said here and nowhere else: the port is a free one in place of 3000, the database of the
 * example is one of this run's, and `npm ci` is left out because it is what brought this test here.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const README = join(ROOT, 'README.md');
const text = readFileSync(README, 'utf8');

interface Block {
  readonly language: string;
  readonly code: string;
}

const blocks = blocksOf(text);
/** Runs against the server that the README's first block has started. */
const quickStart = blocksOf(readFileSync(join(ROOT, 'docs/quick-start.md'), 'utf8'));
const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe('README.md', () => {
  describe('its commands', () => {
    let copy: string;
    let port: number;
    let database: TestDatabase;
    let server: ChildProcess | undefined;
    /** What each block has printed; those that start a server print into nothing. */
    const printed = new Map<Block, string>();
    let documented: string[] = [];
    let tea: { closed: number; open: unknown };

    beforeAll(async () => {
      database = await createDatabase({ empty: true });
      port = await freePort();
      copy = await copyOfTheTree();
      await addModule(copy, blocks.find((block) => block.language === 'ts')?.code ?? '');
      for (const shell of sessions()) {
        await stopServer();
        if (shell.start) server = await startServer(shell.start);
        const outputs = hasCurl ? runBlocks(shell.blocks) : [];
        shell.blocks.forEach((block, at) => printed.set(block, outputs[at] ?? ''));
        if (documented.length === 0) {
          const more = quickStart.filter(
            ({ language, code }) => language === 'sh' && !code.includes('npm start'),
          );
          const said = hasCurl
            ? runBlocks(more.map(({ language, code }) => ({ language, code: direct(code) })))
            : [];
          more.forEach((block, at) => printed.set(block, said[at] ?? ''));
          documented = await operations();
          tea = await askForTea();
        }
      }
    }, 300_000);

    afterAll(async () => {
      await stopServer();
      await database?.close();
      await rm(copy, { recursive: true, force: true });
    });

    it.skipIf(!hasCurl).each([
      ['the README', blocks, 4],
      ['the quick start', quickStart, 7],
    ])('print what %s says that they print', (_, page, least) => {
      let checked = 0;
      page.forEach((block, at) => {
        const expected = page[at + 1];
        if (block.language !== 'sh' || expected?.language !== 'text') return;
        let rest = printed.get(block) ?? '';
        for (const line of expected.code.split('\n').filter(Boolean)) {
          const wanted = line.replace(/,? ?\.\.\.$/, '');
          expect(rest, block.code).toContain(wanted);
          rest = rest.slice(rest.indexOf(wanted) + wanted.length);
        }
        checked += 1;
      });
      expect(checked).toBeGreaterThanOrEqual(least);
    });

    it('start a server each, on an embedded database and on another one', () => {
      expect(sessions().map((shell) => shell.start !== undefined)).toEqual([true, true]);
    });

    it('are no others than those of package.json', () => {
      const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
      for (const [, name] of text.matchAll(/`npm run (?:-s )?([\w:]+)/g))
        expect(scripts).toHaveProperty([name!]);
    });

    it('protect an API of one’s own', () => {
      expect(tea).toEqual({ closed: 401, open: { tea: 'Assam', for: expect.any(String) } });
    });

    it('lead to the endpoints that are in its table, and to no others', () => {
      const table = section('endpoints').matchAll(/^\| `([A-Z]+ \/[^`]*)`/gm);
      const rows = [...table].map(([, row]) => row);
      expect(rows.sort()).toEqual(documented.filter((name) => name !== 'GET /tea').sort());
    });

    /** A shell session for each start: the blocks up to the next one share its variables. */
    function sessions(): { start?: Block; blocks: Block[] }[] {
      const found: { start?: Block; blocks: Block[] }[] = [];
      for (const block of blocks.filter((one) => one.language === 'sh')) {
        if (block.code.includes('npm start')) found.push({ start: block, blocks: [] });
        else found.at(-1)?.blocks.push(block);
      }
      return found;
    }

    /** The README shows that `npm run` works; here it would only look again whether all is built. */
    function direct(code: string): string {
      return code.replaceAll('npm run -s keks --', 'node dist/src/cli.js');
    }

    function adapted(code: string): string {
      return code
        .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
        .replaceAll(/postgresql:\/\/keks:secret@\S+/g, `'${database.url}'`)
        .replace('npm ci && ', '');
    }

    async function startServer(block: Block): Promise<ChildProcess> {
      // a process group of its own: Ctrl-C in a terminal reaches npm and everything below it
      const child = spawn('sh', ['-c', adapted(block.code)], {
        cwd: copy,
        env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', PORT: String(port) },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      for (let attempt = 0; attempt < 1_200; attempt += 1) {
        const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
        if (ready?.status === 200) return child;
        if (child.exitCode !== null) break;
        await new Promise((done) => setTimeout(done, 100));
      }
      throw new Error(`did not become ready: ${block.code}\n${output}`);
    }

    async function stopServer(): Promise<void> {
      const child = server;
      server = undefined;
      if (!child?.pid || child.exitCode !== null) return;
      const exited = once(child, 'exit');
      process.kill(-child.pid, 'SIGINT');
      await exited;
    }

    function runBlocks(commands: readonly Block[]): string[] {
      const mark = '\n-- next block --\n';
      const script = commands.map((block) => `${adapted(block.code)}printf '%s' '${mark}'\n`).join('');
      return execFileSync('sh', ['-ec', script], {
        cwd: copy,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .split(mark)
        .slice(0, -1);
    }

    async function operations(): Promise<string[]> {
      const answer = await fetch(`http://127.0.0.1:${port}/docs-json`);
      const { paths } = (await answer.json()) as { paths: Record<string, object> };
      return Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
    }

    async function askForTea(): Promise<{ closed: number; open: unknown }> {
      const url = `http://127.0.0.1:${port}`;
      const issued = await fetch(`${url}/issue`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: 'CookieDestroyer', password: 'U+1F36A' }),
      });
      const { token } = (await issued.json()) as { token: string };
      const closed = await fetch(`${url}/tea`);
      const open = await fetch(`${url}/tea`, { headers: { authorization: `Bearer ${token}` } });
      return { closed: closed.status, open: await open.json() };
    }
  });

  it('has a table of all settings: names, defaults and what they are for', async () => {
    const options = await resolveConfig(README);
    const wanted = (await format(settingsTable(), { ...options, parser: 'markdown' })).trim();
    if (process.env['README_UPDATE'])
      writeFileSync(
        README,
        text.replace(/(<!-- settings: [^>]*-->).*(<!-- \/settings -->)/s, (_, begin: string, end: string) => {
          return `${begin}\n\n${wanted}\n\n${end}`;
        }),
      );
    else expect(section('settings').trim()).toBe(wanted);
  });

  it('leads to files that are there', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)\)/g))
      expect(existsSync(join(ROOT, target)), target).toBe(true);
  });
});

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => {
    return { language, code };
  });
}

/** What stands between `<!-- name: ... -->` and `<!-- /name -->`. */
function section(name: string): string {
  const match = new RegExp(`<!-- ${name}: [^>]*-->(.*?)<!-- /${name} -->`, 's').exec(text);
  if (match?.[1] === undefined) throw new Error(`README.md has no section "${name}"`);
  return match[1];
}

function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, setting]) => {
    const fallback = 'fallback' in setting ? `\`${String(setting.fallback)}\`` : '';
    return `| \`${name}\` | ${fallback} | ${setting.summary} |`;
  });
  return ['| Setting | Default | What it is |', '| --- | --- | --- |', ...rows].join('\n');
}

/** What the program is built from, as it is now, and what has been built of it: only what a reader adds is compiled. */
async function copyOfTheTree(): Promise<string> {
  loose('main');
  const copy = await mkdtemp(join(tmpdir(), 'keks-readme-'));
  for (const path of [
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts',
    'migrations',
    'src',
    'packages',
    'dist',
  ])
    await cp(join(ROOT, path), join(copy, path), {
      recursive: true,
      preserveTimestamps: true,
      // which other tests may be packing just now, and which no reader has
      filter: (from) => from !== join(ROOT, 'dist/packed'),
    });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  return copy;
}

/** Does what the README asks for in words: the file, and its name beside `CookiesModule`. */
async function addModule(copy: string, code: string): Promise<void> {
  const path = /^\/\/ (\S+)/.exec(code)?.[1] ?? '';
  const name = /export class (\w+Module)/.exec(code)?.[1] ?? '';
  await mkdir(dirname(join(copy, path)), { recursive: true });
  await writeFile(join(copy, path), code);
  const root = join(copy, 'src/app.module.ts');
  const source = readFileSync(root, 'utf8');
  const importLine = `import { ${name} } from './${path.replace(/^src\//, '').replace(/\.ts$/, '.js')}';\n`;
  await writeFile(
    root,
    importLine + source.replace(/(imports: \[.*?)CookiesModule/s, `$1CookiesModule, ${name}`),
  );
}
