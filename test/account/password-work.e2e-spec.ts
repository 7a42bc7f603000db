import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importedHash } from '../../src/auth/users/imported-hash.js';
import { PasswordHash } from '../../src/auth/users/password-hash.js';
import { PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

/** The part of bcrypt that works: each call costs 2 to the power of what stands in the salt. */
interface Addon {
  compare(data: string, hash: string, done: unknown): unknown;
  encrypt(data: string, salt: string, done: unknown): unknown;
}

const require = createRequire(import.meta.url);
const addon = (require('node-gyp-build') as (folder: string) => Addon)(dirname(require.resolve('bcrypt')));
const original = { ...addon };

const COST = 6;
const costOf = (salted: string): number => Number(/^\$2b\$(\d\d)\$/.exec(salted)?.[1]);

describe('a login that is refused works as much, whatever it is refused for', () => {
  let keks: TestApp;
  let done = 0;

  beforeAll(async () => {
    keks = await startTestApp({ BCRYPT_COST: String(COST) });
    for (const name of ['compare', 'encrypt'] as const)
      addon[name] = (data, salted, callback) => {
        done += 2 ** costOf(salted);
        return original[name](data, salted, callback);
      };
  });

  afterAll(async () => {
    Object.assign(addon, original);
    await keks.close();
  });

  async function stored(name: string, hash: string): Promise<void> {
    await keks.addUser(name);
    await keks.database.client.query('UPDATE users SET password_hash = $2 WHERE name = $1', [name, hash]);
  }

  async function workOf(user: string, password: string): Promise<number> {
    done = 0;
    expect((await post(keks.url, '/issue', { user, password })).status).toBe(401);
    return done;
  }

  const make = (cost: number): Promise<string> =>
    new PasswordHash({ ...keks.config, BCRYPT_COST: cost }).make(PASSWORD);

  it('a name that nobody has, a wrong password, an older cost, an import, a lost key, and a disabled user', async () => {
    const cheap = await make(4);
    const imported = importedHash(`$2b$04$${cheap.slice(-53)}`);
    await keks.addUser('Today');
    await stored('Cheap', cheap);
    await stored('Imported', typeof imported === 'string' ? imported : imported.hash);
    await stored('Lost', cheap.replace(/^keks1\$.{8}/, 'keks1$00000000'));
    await stored('Disabled', cheap);
    await keks.database.client.query(`UPDATE users SET disabled_at = now() WHERE name = 'Disabled'`);
    const tries = {
      nobody: await workOf('Nobody', PASSWORD),
      today: await workOf('Today', 'wrong'),
      cheap: await workOf('Cheap', 'wrong'),
      imported: await workOf('Imported', 'wrong'),
      lost: await workOf('Lost', PASSWORD),
      'disabled, wrong': await workOf('Disabled', 'wrong'),
      'disabled, right': await workOf('Disabled', PASSWORD),
    };
    expect(Object.entries(tries)).toEqual(Object.keys(tries).map((name) => [name, 2 ** COST]));
  });

  it('as much as for the dearest that was met, once there is one that is dearer than those of today', async () => {
    await stored('Dear', await make(COST + 1));
    await workOf('Dear', 'wrong');
    const tries = {
      dear: await workOf('Dear', 'wrong'),
      nobody: await workOf('Nobody', PASSWORD),
      today: await workOf('Today', 'wrong'),
      'disabled, right': await workOf('Disabled', PASSWORD),
    };
    expect(Object.entries(tries)).toEqual(Object.keys(tries).map((name) => [name, 2 ** (COST + 1)]));
  });
});
