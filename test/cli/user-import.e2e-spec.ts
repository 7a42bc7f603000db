import { hash } from 'bcrypt';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../support/keks-here.js';
import { submit } from '../support/oauth.js';
import { environment, post, startTestApp, type TestApp } from '../support/test-app.js';

interface Report {
  readonly dry_run: boolean;
  readonly lines: number;
  readonly imported: number;
  readonly present: number;
  readonly weak: number;
  readonly refused: readonly { readonly line: number; readonly reason: string; readonly why: string }[];
}

const PASSWORD = 'old but gold';
/** Of "U*U", by crypt_blowfish: its test vector. */
const VECTOR = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

let app: TestApp;
let folder: string;
let bcrypted: string;
let files = 0;

const { run, json } = commandLine(() => environment(app.database.url));
const login = async (user: string, password = PASSWORD): Promise<number> =>
  (await post(app.url, '/issue', { user, password })).status;

async function fileOf(...lines: readonly (object | string)[]): Promise<string> {
  const file = join(folder, `${(files += 1)}.jsonl`);
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(file, texts.join('\n'));
  return file;
}
/** Exit codes are 1 where something was refused, and the report comes all the same. */
async function report(...args: string[]): Promise<Report & { readonly code: number | string }> {
  const { code, stdout, stderr } = await run('user', 'import', ...args, '--json');
  expect(stderr).toBe('');
  expect(stdout + stderr).not.toContain(bcrypted.slice(7));
  return { code, ...(JSON.parse(stdout) as Report) };
}
async function storedOf(name: string): Promise<{ id: string; password_hash: string }> {
  const { rows } = await app.database.client.query<{ id: string; password_hash: string }>(
    'SELECT id, password_hash FROM users WHERE name = $1',
    [name],
  );
  return rows[0] ?? { id: '', password_hash: '' };
}
const count = async (): Promise<number> =>
  Number((await app.database.client.query<{ n: string }>('SELECT count(*) AS n FROM users')).rows[0]?.n);

beforeAll(async () => {
  app = await startTestApp();
  folder = await mkdtemp(join(tmpdir(), 'keks-import-'));
  bcrypted = await hash(PASSWORD, 4);
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

describe('user import', () => {
  it.each([
    ['$2b$ (Node)', (text: string) => text],
    ['$2a$ (Devise)', (text: string) => text.replace('$2b$', '$2a$')],
    ['$2y$ (Laravel)', (text: string) => text.replace('$2b$', '$2y$')],
    ['bcrypt$$2b$ (Django)', (text: string) => `bcrypt$${text}`],
    // the salt's last character has four bits that mean nothing
    ['noise behind the salt', (text: string) => text.slice(0, 28) + noisy(text.charAt(28)) + text.slice(29)],
  ])('%s: the old password logs in, and is hashed anew at that', async (kind, spelled) => {
    const name = `From ${kind}`;
    const file = await fileOf({ name, password_hash: spelled(bcrypted), scope: 'cookies:eat' });
    expect(await report(file)).toMatchObject({ code: 0, lines: 1, imported: 1, present: 0, weak: 1 });
    expect((await storedOf(name)).password_hash).toMatch(/^keks0\$\$2b\$04\$/);
    expect(await login(name, `${PASSWORD}.`)).toBe(401);
    expect((await storedOf(name)).password_hash).toMatch(/^keks0\$/);
    expect(await login(name)).toBe(200);
    expect((await storedOf(name)).password_hash).toMatch(/^keks1\$/);
    expect([await login(name), await login(name, `${PASSWORD}.`)]).toEqual([200, 401]);
  });

  it('takes a hash that nobody here has made', async () => {
    expect((await report(await fileOf({ name: 'Vector', password_hash: VECTOR }))).code).toBe(0);
    expect([await login('Vector', 'U*V'), await login('Vector', 'U*U')]).toEqual([401, 200]);
  });

  it('keeps id, scope and state, and says in the audit log that they were imported', async () => {
    const id = '3f9a4b1e-9a4b-4a55-9e0b-3f6d6f1f0c11';
    const file = await fileOf(
      { name: 'Kept', password_hash: bcrypted, scope: 'cookies:eat cookies:bake', id: id.toUpperCase() },
      { name: 'Asleep', password_hash: bcrypted, disabled: true },
    );
    expect((await report(file)).imported).toBe(2);
    expect(await json('user', 'show', 'Kept')).toMatchObject({ id, scope: 'cookies:eat cookies:bake' });
    expect(await json('user', 'show', 'Asleep')).toMatchObject({ disabled: true });
    expect(await login('Asleep')).toBe(401);
    const events = await json<{ type: string; actor: string; detail: object }[]>('audit', '--user', 'Kept');
    expect(events).toMatchObject([
      { type: 'user.added', actor: 'operator', detail: { user: 'Kept', imported: true, disabled: false } },
    ]);
  });

  it('null for a hash: nobody can log in, until a link has set a password', async () => {
    expect((await report(await fileOf({ name: 'Blank', password_hash: null }))).weak).toBe(0);
    expect(await login('Blank')).toBe(401);
    const { link } = await json<{ link: string }>('user', 'reset', 'Blank');
    const password = 'a purple teapot sings to nine calm owls';
    const form = { code: link.split('#')[1] ?? '', password, again: password };
    expect((await submit(app.url, '/password-reset', form)).status).toBe(200);
    expect(await login('Blank', password)).toBe(200);
  });

  it('imports what can be, and tells of the rest by line and reason, without a word of it; exit code 1', async () => {
    await app.addUser('Somebody');
    const { id: theirs } = await storedOf('Somebody');
    const good = { password_hash: bcrypted };
    const lines: [object | string, string | undefined][] = [
      [{ ...good, name: 'First' }, undefined],
      ['', undefined],
      ['{"name": "Half', 'not_json'],
      ['["Array"]', 'not_object'],
      [{ ...good, name: 'More', email: 'a@example.org' }, 'unknown_member'],
      [{ ...good, name: 'Keys', api_keys: ['ab'] }, 'api_keys'],
      [{ ...good, name: 'Devise', pepper: 'x' }, 'pepper'],
      [good, 'no_name'],
      [{ ...good, name: ' blank ' }, 'bad_name'],
      [{ name: 'Hashless' }, 'no_hash'],
      [{ name: 'Seven', password_hash: 7 }, 'no_hash'],
      [{ name: 'D1', password_hash: `bcrypt_sha256$${bcrypted}` }, 'django_bcrypt_sha256'],
      [{ name: 'D2', password_hash: 'pbkdf2_sha256$720000$salt$hash=' }, 'pbkdf2'],
      [{ name: 'A', password_hash: '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA' }, 'argon2'],
      [{ name: 'S', password_hash: '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$x' }, 'scrypt'],
      [{ name: 'X', password_hash: bcrypted.replace('$2b$', '$2x$') }, 'bcrypt_2x'],
      [{ name: 'Short', password_hash: bcrypted.slice(0, -1) }, 'not_bcrypt'],
      [{ name: 'Plain', password_hash: 'hunter2' }, 'not_bcrypt'],
      [{ name: 'Low', password_hash: bcrypted.replace('$04$', '$03$') }, 'cost_too_low'],
      [{ name: 'High', password_hash: bcrypted.replace('$04$', '$15$') }, 'cost_too_high'],
      [{ ...good, name: 'Scope', scope: 'a  b' }, 'bad_scope'],
      [{ ...good, name: 'Account', scope: 'keks:account' }, 'bad_scope'],
      [{ ...good, name: 'State', disabled: 'yes' }, 'bad_disabled'],
      [{ ...good, name: 'Id', id: '7' }, 'bad_id'],
      [{ ...good, name: 'FIRST' }, 'repeated_name'],
      [{ ...good, name: 'somebody' }, undefined],
      [{ ...good, name: 'Thief', id: theirs }, 'id_taken'],
      [{ ...good, name: 'x'.repeat(70_000) }, 'too_long'],
      [{ ...good, name: 'Last' }, undefined],
    ];
    const before = await count();
    const file = await fileOf(...lines.map(([line]) => line));
    const wanted = lines.flatMap(([, reason], at) =>
      reason === undefined ? [] : [{ line: at + 1, reason }],
    );
    const dry = await report(file, '--dry-run');
    expect(await count()).toBe(before);
    const done = await report(file);
    expect(done).toMatchObject({ code: 1, lines: lines.length, imported: 2, present: 1 });
    expect(done.refused.map(({ line, reason }) => ({ line, reason }))).toEqual(wanted);
    expect(dry).toEqual({ ...done, dry_run: true });
    expect(await count()).toBe(before + 2);
    expect(JSON.stringify(done)).not.toMatch(/hunter2|Thief|argon2id\$/);
    expect(await login('Somebody', 'U+1F36A')).not.toBe(200);
    expect(await login('Last')).toBe(200);
  });

  it('again: whoever is there stays, so that an import that was cut off is simply begun anew', async () => {
    const people = Array.from({ length: 1_201 }, (_, at) => ({
      name: `Crowd ${at}`,
      password_hash: bcrypted,
    }));
    const half = await fileOf(...people.slice(0, 700));
    const all = await fileOf(...people);
    expect(await report(half)).toMatchObject({ imported: 700, present: 0 });
    expect(await login('Crowd 3')).toBe(200);
    const moved = await storedOf('Crowd 3');
    expect(await report(all)).toMatchObject({ code: 0, imported: 501, present: 700 });
    expect(await storedOf('Crowd 3')).toEqual(moved);
    expect(await report(all)).toMatchObject({ code: 0, imported: 0, present: 1_201 });
  });

  it('says in words what was done', async () => {
    const file = await fileOf({ name: 'Worded', password_hash: bcrypted }, 'nonsense');
    const { code, stdout } = await run('user', 'import', file);
    expect(code).toBe(1);
    expect(stdout).toBe(
      '2 lines: 1 imported, 0 there already and left as they are, 1 refused.\n' +
        'line 2: It is not well-formed JSON: each line is a document of its own.\n' +
        '1 have hashes of a cost below 10, which are quick to guess if they are stolen, until their users log in.\n',
    );
  });

  it('a file that is not there: exit 1, and nothing is done', async () => {
    const { code, stderr } = await run('user', 'import', join(folder, 'none.jsonl'));
    expect([code, stderr]).toEqual([1, 'The file cannot be read: see whether it is there, and yours.\n']);
  });

  it('needs no SECRET_KEY that has gone: the doctor does not count them', async () => {
    await report(await fileOf({ name: 'Uncounted', password_hash: bcrypted }));
    const { stdout } = await run('doctor', '--json');
    expect(stdout).not.toContain('made before it was noted');
  });
});

/** The same two bits, and one of the four that mean nothing. */
function noisy(character: string): string {
  const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return alphabet.charAt(alphabet.indexOf(character) | 1);
}
