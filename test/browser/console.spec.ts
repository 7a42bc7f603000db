import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keks as cli } from '../support/keks.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { openBrowser, watch, type Watch } from './support/browser.js';
import { DESKTOP, flaws, overflow, PHONE, POLICY, screenshot } from './support/page.js';

const PASSWORD = 'seven brown biscuits under a blue moon';
const OTHER_PASSWORD = 'a purple teapot sings to nine calm owls';
/** What Chromium itself writes about every refusal. */
const REFUSED = /^Failed to load resource: the server responded with a status of (\d+)/;

describe('the console at /console', () => {
  let dataDir: string;
  let keks: ServerProcess;
  let browser: Browser;
  let page: Page;
  let seen: Watch;
  /** Statuses of refusals that belong to a test. */
  let refused: number[] = [];
  /** Of every request. */
  let addresses: string[];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-console-'));
    [keks, browser] = await Promise.all([
      startProcess({
        NODE_ENV: 'test',
        BCRYPT_COST: '4',
        DATA_DIR: dataDir,
        LOGIN_FAILURES_PER_ACCOUNT: '3',
      }),
      openBrowser(),
    ]);
    for (const [name, scope] of [
      ['alice', 'cookies:eat cookies:bake'],
      ['bob', 'cookies:eat'],
      ['carol', 'cookies:eat'],
      ['boss', 'keks:admin cookies:eat'],
    ] as const) {
      const { code, stderr } = await cli(
        { NODE_ENV: 'test', BCRYPT_COST: '4', DATA_DIR: dataDir },
        ['user', 'add', name, '--password-stdin', '--scope', scope],
        { input: PASSWORD },
      );
      expect([code, stderr]).toEqual([0, '']);
    }
  });

  afterAll(async () => {
    await browser?.close();
    await keks?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  afterEach(async () => {
    const errors = seen.errors.map((error) => Number(REFUSED.exec(error)?.[1]) || error);
    expect(errors).toEqual(refused);
    refused = [];
    expect([...seen.hosts]).toEqual([new URL(keks.url).host]);
    const { url, stored, text } = await traces();
    expect([url, ...addresses].join('\n')).not.toMatch(/k(at|rt|ak|cs)_|\bbrown\b|teapot/);
    expect([stored, text]).toEqual([0, false]);
    await page.context().close();
  });

  /** Where a token or a password must not be: the address, any storage, the page itself. */
  async function traces(): Promise<{ url: string; stored: number; text: boolean }> {
    return {
      url: page.url(),
      stored: await page.evaluate<number>(
        '(async () => localStorage.length + sessionStorage.length + document.cookie.length + (await indexedDB.databases()).length + (await caches.keys()).length)()',
      ),
      text: /k(at|ak|cs)_[\w-]{54}/.test(await page.content()),
    };
  }

  async function open(options: BrowserContextOptions = {}, hash = ''): Promise<void> {
    const context = await browser.newContext({
      viewport: DESKTOP,
      reducedMotion: 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    seen = watch(page);
    addresses = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.goto(`${keks.url}/console${hash}`);
    await page.getByRole('heading', { name: 'Console' }).waitFor();
  }

  const press = (name: string, within: Page | Locator = page): Promise<void> =>
    within.getByRole('button', { name, exact: true }).click();
  const dialog = (): Locator => page.getByRole('dialog');
  const entry = (title: string): Locator =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title }) });
  const said = (): Locator => page.locator('#said');
  const notice = (): Locator => page.locator('#farewell');

  async function fillIn(user: string, password: string): Promise<void> {
    await page.getByLabel('User').fill(user);
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
  }

  async function signIn(user: string, password = PASSWORD): Promise<void> {
    await fillIn(user, password);
    await page.locator('#desk').waitFor();
  }

  async function view(name: string): Promise<void> {
    const menu = page.getByRole('button', { name: 'Menu' });
    if (await menu.isVisible()) await menu.click();
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }

  /** The page as it is now: no flaw, nothing beyond the edge. */
  async function sound(name: string): Promise<void> {
    await page.waitForFunction(`!document.body.innerText.includes('Loading …')`);
    await screenshot(page, `console-${name}`);
    expect(await flaws(page), name).toEqual([]);
    expect(await overflow(page), name).toBe(0);
  }

  async function issue(user: string, password = PASSWORD): Promise<Response> {
    return fetch(`${keks.url}/issue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'oven/1.0' },
      body: JSON.stringify({ user, password }),
    });
  }

  async function tokenOf(user: string, password = PASSWORD): Promise<string> {
    return ((await (await issue(user, password)).json()) as { token: string }).token;
  }

  async function cookies(token: string): Promise<number> {
    return (await fetch(`${keks.url}/cookies`, { headers: { authorization: `Bearer ${token}` } })).status;
  }

  it('comes with a strict policy, and says before anything else what it keeps and where', async () => {
    const answer = await fetch(`${keks.url}/console`);
    expect(answer.headers.get('content-security-policy')).toBe(POLICY);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    await open();
    expect(await page.locator('#sign-in').innerText()).toContain('kept in memory and nowhere else');
    expect(await page.locator(':focus').getAttribute('name')).toBe('user');
    expect(await page.locator('#identity').isVisible()).toBe(false);
    await sound('sign-in');
  });

  it('refuses a wrong password with a sentence, and says when to try again after too many', async () => {
    refused = [401, 401, 401, 429];
    await open();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await fillIn('carol', `wrong ${attempt}`);
      await page.getByText('The user or the password is wrong.').waitFor();
      expect(await page.getByLabel('Password').inputValue()).toBe('');
    }
    await fillIn('carol', PASSWORD);
    await page
      .getByText(/^Too many failed attempts\. Keks takes none from here for 1\d minutes, until/)
      .waitFor();
    await sound('throttled');
  });

  it('shows the whole life of a key: made, copied once, used, revoked, refused', async () => {
    await open({ colorScheme: 'light' }, '#/keys');
    await signIn('alice');
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('API keys');
    await page.getByText('No keys yet.').waitFor();
    await sound('keys-empty');

    await press('New key');
    await page.getByLabel('Name').fill('night baker');
    await sound('key-new');
    await page.getByLabel('cookies:bake').uncheck();
    await page.getByLabel('Lives for').selectOption({ label: '30 days' });
    await press('Make the key', dialog());

    await dialog().getByText('this once').waitFor();
    const key = await dialog().locator('code').innerText();
    expect(key).toMatch(/^kak_[\w-]{54}$/);
    await page.keyboard.press('Escape');
    await dialog().getByText('Copy it first').waitFor();
    await sound('key-once');
    await press('Copy the key', dialog());
    await dialog().getByText('Copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    await press('Done', dialog());
    await dialog().waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(key);

    expect(await entry('night baker').innerText()).toMatch(/cookies:eat\s+Made/);
    expect(await entry('night baker').innerText()).toContain('in 30 days');
    await sound('keys');
    expect(await cookies(key)).toBe(200);

    await press('Revoke', entry('night baker'));
    await press('Cancel', dialog());
    expect(await cookies(key)).toBe(200);
    expect(await page.locator(':focus').innerText()).toBe('Revoke');
    await press('Revoke', entry('night baker'));
    await sound('key-revoke');
    await press('Revoke the key', dialog());
    await page.getByText('The key “night baker” is dead.').waitFor();
    await page.getByText('No keys yet.').waitFor();
    expect(await cookies(key)).toBe(401);
  });

  it('lists sessions, ends one and then the others, and leaves this one', async () => {
    await open({ colorScheme: 'dark' });
    const [oven, fridge, shelf] = await Promise.all(['alice', 'alice', 'alice'].map((user) => tokenOf(user)));
    await signIn('alice');
    await page.getByText('this one').waitFor();
    expect(await entry('oven').count()).toBe(3);
    await sound('sessions');
    await press('End', entry('oven').first());
    await press('End the session', dialog());
    await said().getByText('The session of oven is over.').waitFor();
    const alive = async (): Promise<number[]> =>
      Promise.all([oven, fridge, shelf].map((one) => cookies(one ?? '')));
    expect((await alive()).sort()).toEqual([200, 200, 401]);
    await press('End all others');
    await press('End all others', dialog());
    await said().getByText('2 sessions are over.').waitFor();
    expect(await alive()).toEqual([401, 401, 401]);
    expect(await page.locator('.item').count()).toBe(1);
    await press('Sign out', page.locator('.item'));
    await notice().getByText('the session is over').waitFor();
    expect(await (await sessionsOf('alice')).length).toBe(1);
  });

  it('changes the password, which ends the other sessions', async () => {
    refused = [401, 400];
    await open({ colorScheme: 'light' }, '#/password');
    const elsewhere = await tokenOf('bob');
    await signIn('bob');
    const change = async (old: string, wanted: string, again = wanted): Promise<void> => {
      await page.getByLabel('Old password').fill(old);
      await page.getByLabel('New password', { exact: true }).fill(wanted);
      await page.getByLabel('New password, once more').fill(again);
      await press('Change the password');
    };
    await change(PASSWORD, OTHER_PASSWORD, 'something else');
    await page.getByText('are not the same').waitFor();
    await change('not this one', OTHER_PASSWORD);
    await page.getByText('The old password is wrong.').waitFor();
    await change(PASSWORD, 'short');
    await page.getByText('The new password will not do').waitFor();
    await sound('password');
    await change(PASSWORD, OTHER_PASSWORD);
    await said().getByText('Your password is changed.').waitFor();
    expect(await page.getByLabel('Old password').inputValue()).toBe('');
    expect(await cookies(elsewhere)).toBe(401);
    expect([(await issue('bob')).status, (await issue('bob', OTHER_PASSWORD)).status]).toEqual([401, 200]);
    await view('Sessions');
    await page.getByText('this one').waitFor();
  });

  it('signs out when it is loaded anew: nothing is stored, and the token is dead', async () => {
    await open();
    const sent = page.waitForRequest((request) => request.url().includes('/sessions'));
    await signIn('alice');
    const token = ((await (await sent).allHeaders())['authorization'] ?? '').slice('Bearer '.length);
    expect(await cookies(token)).toBe(200);
    await page.reload();
    await notice().getByText('a token is kept in memory only').waitFor();
    await sound('reloaded');
    await expect.poll(() => cookies(token)).toBe(401);
    await signIn('alice');
    await page.getByText('this one').waitFor();
  });

  it('goes back to the sign-in with a sentence when its token is revoked or expires', async () => {
    refused = [401];
    await open();
    const sent = page.waitForRequest((request) => request.url().includes('/sessions'));
    await signIn('alice');
    const token = ((await (await sent).allHeaders())['authorization'] ?? '').slice('Bearer '.length);
    await page.getByText('this one').waitFor();
    await fetch(`${keks.url}/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    await page.getByRole('link', { name: 'API keys' }).click();
    await notice().getByText('your token was revoked').waitFor();
    expect(await page.locator('#desk').isVisible()).toBe(false);
    await page.clock.install();
    await signIn('alice');
    await view('Sessions');
    await press('End all others');
    await page.clock.fastForward('01:00:01');
    await notice().getByText('your token has expired').waitFor();
    expect(await dialog().count()).toBe(0);
  });

  it('tells when the server cannot answer, and tries again when asked', async () => {
    refused = [503];
    await open();
    await signIn('alice');
    let ill = true;
    await page.route('**/keys', (route) =>
      ill
        ? route.fulfill({
            status: 503,
            headers: { 'retry-after': '7' },
            json: { error: 'temporarily_unavailable', error_description: 'x' },
          })
        : route.continue(),
    );
    await view('API keys');
    await page.getByText('Try again in 7 seconds').waitFor();
    await sound('unavailable');
    ill = false;
    await press('Try again');
    await page.getByText('No keys yet.').waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    await open();
    await page.keyboard.type('alice');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('#desk').waitFor();
    expect(await page.locator(':focus').innerText()).toBe('Sessions');
    await page.getByRole('link', { name: 'API keys' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
    expect(await page.locator(':focus').innerText()).toBe('API keys');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    expect(await page.locator(':focus').getAttribute('name')).toBe('label');
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toBe('New key');
    await page.goBack();
    await page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor();
  });

  it.each(['light', 'dark'] as const)('fits a phone: %s', async (colorScheme) => {
    await open({ viewport: PHONE, colorScheme });
    await sound(`phone-${colorScheme}-sign-in`);
    await signIn('alice');
    await sound(`phone-${colorScheme}-sessions`);
    await press('Menu');
    await sound(`phone-${colorScheme}-menu`);
    await press('Menu');
    await view('API keys');
    await press('New key');
    await sound(`phone-${colorScheme}-key-new`);
    await press('Cancel');
    await view('Password');
    await sound(`phone-${colorScheme}-password`);
  });

  async function sessionsOf(user: string): Promise<unknown[]> {
    const answer = await fetch(`${keks.url}/sessions`, {
      headers: { authorization: `Bearer ${await tokenOf(user)}` },
    });
    return ((await answer.json()) as { items: unknown[] }).items;
  }
});
