import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commandLine } from '../support/keks-here.js';
import { program } from '../support/program.js';
import { environment, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

const TYPED = 'nine slow kettles änd a paper boat';

vi.setConfig({ testTimeout: 60_000 });

let app: TestApp;

const { run, json, refused } = commandLine(() => environment(app.database.url), 'user');
const login = async (user: string, password: string): Promise<number> =>
  (await post(app.url, '/issue', { user, password })).status;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

describe('--generate', () => {
  it('add and passwd: a password that works, told once, and another one each time', async () => {
    const added = await json<Record<string, string>>('add', 'Ann', '--scope', 'cookies:eat', '--generate');
    const { password: first = '', ...rest } = added;
    expect(rest).toEqual({ id: expect.any(String), name: 'Ann', scope: 'cookies:eat' });
    expect(first).toMatch(/^([a-z2-9]{5}-){5}[a-z2-9]{5}$/);
    expect(await login('Ann', first)).toBe(200);
    const { stdout } = await run('passwd', 'Ann', '--generate');
    const [, second = ''] = /^password +(\S+)$/m.exec(stdout) ?? [];
    expect(second).not.toBe(first);
    expect([await login('Ann', first), await login('Ann', second)]).toEqual([401, 200]);
    const { rows } = await app.database.client.query('SELECT detail::text FROM audit_events');
    expect(JSON.stringify(rows)).not.toContain(first);
    expect(await json('show', 'Ann')).not.toHaveProperty('password');
  });

  it('as long as PASSWORD_MIN_LENGTH wants', async () => {
    const long = { ...environment(app.database.url), PASSWORD_MIN_LENGTH: '64' };
    const strict = commandLine(() => long, 'user');
    const { password } = await strict.json<{ password: string }>('add', 'Long', '--generate');
    expect(password.length).toBeGreaterThanOrEqual(64);
    expect(await login('Long', password)).toBe(200);
  });

  it('not beside --password-stdin, and no password where nobody was added', async () => {
    expect(await refused('add', 'Bob', '--generate', '--password-stdin')).toEqual([2, 'invalid_request']);
    const { code, stdout, stderr } = await run('add', 'ann', '--generate');
    expect([code, stdout, stderr]).toEqual([1, '', expect.not.stringMatching(/[a-z2-9]{5}-[a-z2-9]{5}-/)]);
  });
});

describe.skipIf(!existsSync('/usr/bin/script'))('on a terminal', () => {
  /** Types each answer when it is asked for. */
  async function typing(
    args: string,
    answers: readonly string[],
    more: Record<string, string> = {},
  ): Promise<{ shown: string; code: unknown }> {
    const line = `"${process.execPath}" ${program('cli')} ${args}`;
    const child = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], {
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm', ...more, ...environment(app.database.url) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let shown = '';
    let asked = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      const questions = shown.match(/(?:Type the password|And again): /g)?.length ?? 0;
      for (; asked < questions; asked += 1) child.stdin.write(answers[asked] ?? '\u0004');
    });
    const [code] = (await ended) as unknown[];
    return { shown, code };
  }

  it('asks for the password twice, shows nothing of it, and it is the one that was typed', async () => {
    const { shown, code } = await typing('user add Cleo --scope cookies:eat', [
      `${TYPED}\r`,
      `${TYPED}x\u007f\r`,
    ]);
    expect([code, shown]).toEqual([
      0,
      expect.stringMatching(/^Type the password: \r\nAnd again: \r\nAdded Cleo \(.*\)\.\r\n$/),
    ]);
    expect(shown).not.toContain('kettles');
    expect(await login('Cleo', TYPED)).toBe(200);
  });

  it('passwd asks as well', async () => {
    await app.addUser('Dan');
    const { code } = await typing('user passwd Dan', [`${TYPED}\r`, `${TYPED}\r`]);
    expect([code, await login('Dan', TYPED)]).toEqual([0, 200]);
  });

  it('demo --user asks for the password once', async () => {
    await app.addUser('Eve', 'cookies:eat');
    const { shown, code } = await typing(`demo --user Eve --url ${app.url}`, [`${PASSWORD}\r`]);
    expect([code, shown]).toEqual([
      0,
      expect.stringMatching(/^Type the password: \r\n(?!And again)[^]*"Cookie"/),
    ]);
    expect(shown).not.toContain(PASSWORD);
  });

  it.each([
    ['two that differ', [`${TYPED}\r`, 'another one that was typed\r'], /not the same/, 1],
    ['nothing', ['\r'], /Nothing was typed/, 1],
    ['the end of input', ['\u0004'], /was not typed/, 1],
    ['Ctrl-C', [`${TYPED}\u0003`], /^Type the password: \r\n$/, 130],
  ])('%s: nobody is added', async (_, answers, message, exit) => {
    const { shown, code } = await typing('user add Never', answers);
    expect([code, shown]).toEqual([exit, expect.stringMatching(message)]);
    expect(shown).not.toContain('kettles');
    expect(await refused('show', 'Never')).toEqual([1, 'not_found']);
  });

  it('that knows no keys: a backspace does not become part of the password', async () => {
    const answers = [`${TYPED}x\u007f\r`, `${TYPED}x\u007f\r`];
    const { shown, code } = await typing('user add Never', answers, { TERM: 'dumb' });
    expect([code, shown]).toEqual([1, expect.stringMatching(/no character/)]);
  });
});
