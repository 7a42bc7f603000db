import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/ports.js';
import { loose } from '../support/program.js';

/**
 * Runs README.md, and the quick start. Their shell blocks run in their order, in a copy of this tree that has these node_modules. What a
 * reader would not do is said here and nowhere else: the port is a free one in place of 3000, the database of the
 * example is one of this run's, and `npm ci` is left out because it is what brought this test here.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
const reference = readFileSync(join(ROOT, 'docs/reference.md'), 'utf8');

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

    it.skipIf(!hasCurl)('print what the README says, to the letter', () => {
      const shown = blocks.flatMap((block, at) =>
        block.language === 'sh' && blocks[at + 1]?.language === 'text' ? [{ block, at }] : [],
      );
      for (const { block, at } of shown) expect(printed.get(block), block.code).toBe(blocks[at + 1]?.code);
      expect(shown).toHaveLength(3);
    });

    it.skipIf(!hasCurl)('print what the quick start says that they print', () => {
      let checked = 0;
      quickStart.forEach((block, at) => {
        const expected = quickStart[at + 1];
        if (block.language !== 'sh' || expected?.language !== 'text') return;
        let rest = printed.get(block) ?? '';
        for (const line of expected.code.split('\n').filter(Boolean)) {
          const wanted = line.replace(/,? ?\.\.\.$/, '');
          expect(rest, block.code).toContain(wanted);
          rest = rest.slice(rest.indexOf(wanted) + wanted.length);
        }
        checked += 1;
      });
      expect(checked).toBeGreaterThanOrEqual(7);
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

    it('lead to the endpoints that are in the table of the reference, and to no others', () => {
      const rows = [...reference.matchAll(/^\| `([A-Z]+ \/[^`]*)`/gm)].map(([, row]) => row);
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

  it('is short', () => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(120);
  });
});

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => {
    return { language, code };
  });
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
