import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answers, EventReceiver } from '../support/event-receiver.js';
import { keks as cli } from '../support/keks.js';
import { issued, submit } from '../support/oauth.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';
import { openBrowser, watch, type Watch } from './support/browser.js';
import { DESKTOP, flaws, overflow, PHONE, POLICY, screenshot, squeezed } from './support/page.js';

const PASSWORD = 'seven brown biscuits under a blue moon';
const DONE = 'http://127.0.0.1/done';
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
        DATABASE_TIMEOUT: '20000',
        DATA_DIR: dataDir,
        LOGIN_FAILURES_PER_ACCOUNT: '3',
        RECEIVERS_PRIVATE_ADDRESSES: 'true',
        REGISTRATION: 'token',
        REGISTRATION_SCOPE: 'cookies:eat',
      }),
      openBrowser(),
    ]);
    const { code, stderr } = await cli(
      { NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: '20000', DATA_DIR: dataDir },
      ['user', 'add', 'boss', '--password-stdin', '--scope', 'keks:admin cookies:eat'],
      { input: PASSWORD },
    );
    expect([code, stderr]).toEqual([0, '']);
    const token = await tokenOf('boss');
    for (const name of ['alice', 'bob', 'carol', 'erin', 'gina']) {
      const scope = name === 'alice' ? 'cookies:eat cookies:bake' : 'cookies:eat';
      const answer = await fetch(`${keks.url}/admin/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ name, password: PASSWORD, scope }),
      });
      expect(answer.status).toBe(201);
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
    page.setDefaultTimeout(60_000);
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

  /** The page as it is now: nothing beyond the edge. */
  async function fits(name: string): Promise<void> {
    await page.getByText('Loading …').waitFor({ state: 'detached' });
    await screenshot(page, `console-${name}`);
    expect(await overflow(page), name).toBe(0);
    expect(await squeezed(page), name).toEqual([]);
  }

  /** And no flaw that axe knows of. */
  async function sound(name: string): Promise<void> {
    await fits(name);
    expect(await flaws(page), name).toEqual([]);
  }

  async function describeScope(scope: string, description: string): Promise<void> {
    const answer = await fetch(`${keks.url}/admin/scopes/${scope}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf('boss')}` },
      body: JSON.stringify({ description }),
    });
    expect(answer.status).toBe(200);
  }

  /** The page behind a link for a new password, as its user sees it. */
  async function opensTo(link: string): Promise<void> {
    for (const [colorScheme, name, viewport] of [
      ['light', 'desktop', DESKTOP],
      ['dark', 'phone', PHONE],
    ] as const) {
      // axe is a script that the page's policy would not let in
      const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
      const theirs = await context.newPage();
      await theirs.goto(link);
      await theirs.getByRole('heading', { name: 'Choose a new password' }).waitFor();
      await expect.poll(() => theirs.url()).toBe(link.split('#')[0]);
      expect(await theirs.getByLabel('The link that you were given').isVisible()).toBe(false);
      expect([await flaws(theirs), await overflow(theirs)]).toEqual([[], 0]);
      await screenshot(theirs, `reset-form-${name}-${colorScheme}`);
      await theirs.getByLabel('New password', { exact: true }).fill('cookie jar');
      await theirs.getByLabel('New password, once more').fill('cookie jar');
      await theirs.keyboard.press('Enter');
      await theirs.getByText(name === 'desktop' ? 'It is too short' : 'can no longer be used').waitFor();
      expect([await flaws(theirs), await overflow(theirs)]).toEqual([[], 0]);
      await screenshot(theirs, `reset-flaw-${name}-${colorScheme}`);
      if (name === 'desktop') {
        await theirs.getByLabel('New password', { exact: true }).fill(OTHER_PASSWORD);
        await theirs.getByLabel('New password, once more').fill(OTHER_PASSWORD);
        await theirs.keyboard.press('Enter');
        await theirs.getByRole('heading', { name: 'Your password is changed' }).waitFor();
        expect([await flaws(theirs), await overflow(theirs)]).toEqual([[], 0]);
        await screenshot(theirs, `reset-done-${name}-${colorScheme}`);
      }
      await context.close();
    }
    const plain = await browser.newContext({ javaScriptEnabled: false, viewport: PHONE });
    const theirs = await plain.newPage();
    await theirs.goto(link.split('#')[0] ?? '');
    await theirs.getByLabel('The link that you were given').fill(link);
    await screenshot(theirs, 'reset-form-without-scripts');
    await plain.close();
  }

  async function issue(user: string, password = PASSWORD, scope?: string): Promise<Response> {
    return fetch(`${keks.url}/issue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'oven/1.0' },
      body: JSON.stringify({ user, password, scope }),
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
      await fillIn('erin', `wrong ${attempt}`);
      await page.getByText('The user or the password is wrong.').waitFor();
      expect(await page.getByLabel('Password').inputValue()).toBe('');
    }
    await fillIn('erin', PASSWORD);
    await page.getByText(/^Too many attempts\. Keks takes no more for 1\d minutes, until/).waitFor();
    await sound('throttled');
  });

  it('shows the whole life of a key: made, copied once, used, revoked, refused', async () => {
    refused = [401];
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
    const password = dialog().getByLabel('Your password');
    expect(await password.getAttribute('autocomplete')).toBe('current-password');
    await password.fill('not this one');
    await press('Make the key', dialog());
    await dialog().getByText('The password is wrong.').waitFor();
    expect([await password.inputValue(), await page.locator(':focus').getAttribute('name')]).toEqual([
      '',
      'password',
    ]);
    await sound('key-wrong-password');
    await password.fill(PASSWORD);
    await press('Make the key', dialog());

    await dialog().getByText('this once').waitFor();
    const key = await dialog().locator('code').innerText();
    expect(key).toMatch(/^kak_[\w-]{54}$/);
    await page.keyboard.press('Escape');
    await dialog().getByText('Copy it first').waitFor();
    // once more, and the browser closes any dialog
    await page.keyboard.press('Escape');
    expect(await dialog().locator('code').innerText()).toBe(key);
    await sound('key-once');
    await press('Copy the key', dialog());
    await dialog().getByText('Copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    await press('Done', dialog());
    await page.locator('dialog').waitFor({ state: 'detached' });
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
    expect(await page.locator(':focus').innerText()).toBe('Cancel');
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
    await expect.poll(() => page.locator('.item').count()).toBe(1);
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
    await page.getByText('The password is too short').waitFor();
    await sound('password');
    const keys = page.getByLabel('Revoke my API keys as well');
    const [first, second] = [await keyOf('bob'), await keyOf('bob')];
    expect(await keys.isChecked()).toBe(true);
    await change(PASSWORD, OTHER_PASSWORD);
    await said().getByText('Your other sessions and your API keys are over.').waitFor();
    expect(await page.getByLabel('Old password').inputValue()).toBe('');
    expect(await cookies(elsewhere)).toBe(401);
    expect([await cookies(first), await cookies(second)]).toEqual([401, 401]);
    expect([(await issue('bob')).status, (await issue('bob', OTHER_PASSWORD)).status]).toEqual([401, 200]);
    const third = await keyOf('bob', OTHER_PASSWORD);
    expect(await keys.isChecked()).toBe(true);
    await keys.uncheck();
    await change(OTHER_PASSWORD, PASSWORD);
    await said().getByText('Your other sessions are over.').waitFor();
    expect(await cookies(third)).toBe(200);
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
    expect(await page.locator(':focus').getAttribute('name')).toBe('user');
    await page.keyboard.type('alice');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('#desk').waitFor();
    expect(await page.locator(':focus').innerText()).toBe('Sessions');
    await page.getByRole('link', { name: 'Skip to the content' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).toBe('content');
    await page.getByRole('link', { name: 'API keys' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
    expect(await page.locator(':focus').innerText()).toBe('API keys');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    expect(await page.locator(':focus').getAttribute('name')).toBe('label');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toBe('New key');
    await page.goBack();
    await page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor();
  });

  it('shows nothing of administration to others, whatever the address says', async () => {
    await open({}, '#/users');
    await signIn('alice');
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Sessions');
    expect(await page.getByText('Administration').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
  });

  it('tells an administrator whose scope was taken meanwhile what to do', async () => {
    refused = [403];
    await open();
    await signIn('boss');
    await page.route('**/admin/clients', (route) => {
      const json = { error: 'insufficient_scope', error_description: 'x' };
      return route.fulfill({ status: 403, json });
    });
    await view('Clients');
    await page.getByText('Ask an administrator to give it to you, then sign in again.').waitFor();
  });

  it('adds a user, changes the scope, disables, enables and ends everything', async () => {
    refused = [400, 409, 401];
    await open({ colorScheme: 'light' }, '#/users');
    await signIn('boss');
    await entry('boss').getByText('you', { exact: true }).waitFor();
    await sound('users');
    await press('New user');
    await dialog().getByLabel('Name').fill('dora');
    await dialog().getByLabel('Password').fill('short');
    await dialog().getByLabel('Others').fill('cookies eat, tea');
    await press('Add the user', dialog());
    await dialog().getByText('Scopes are separated by blanks, without commas: “eat,” has one.').waitFor();
    await sound('user-scope-comma');
    await dialog().getByLabel('Others').fill('  tea:pour   tea:drink ');
    await dialog().getByLabel('cookies:eat').check();
    await dialog().getByLabel('cookies:bake').check();
    await press('Add the user', dialog());
    await dialog().getByText('The password is too short').waitFor();
    await sound('user-new');
    await dialog().getByLabel('Password').fill(PASSWORD);
    await dialog().getByLabel('Name').fill('BOSS');
    await press('Add the user', dialog());
    await dialog().getByText('There is a user of this name already').waitFor();
    await dialog().getByLabel('Name').fill('dora');
    await press('Add the user', dialog());
    await said().getByText('dora may log in.').waitFor();
    const token = await tokenOf('dora');
    expect(await cookies(token)).toBe(200);

    await page.getByRole('search').getByLabel('Name').fill('DORA');
    await press('Search');
    await expect.poll(() => page.locator('.item').count()).toBe(1);
    expect(await entry('dora').locator('code').allInnerTexts()).toEqual([
      ...['cookies:bake', 'cookies:eat', 'tea:pour', 'tea:drink'],
    ]);
    await describeScope('tea:pour', 'pour tea for you');
    await press('Change scope', entry('dora'));
    await dialog().getByText('pour tea for you').waitFor();
    await sound('user-scope');
    for (const name of ['cookies:eat', 'tea:pour', 'tea:drink']) await dialog().getByLabel(name).uncheck();
    await press('Change the scope', dialog());
    await said().getByText('dora may do this now: cookies:bake.').waitFor();
    expect(await cookies(token)).toBe(401);

    await press('Reset password', entry('dora'));
    await dialog().getByLabel('Your own password').fill('not mine');
    await press('Make the link', dialog());
    await dialog().getByText('Your password is wrong.').waitFor();
    await sound('user-reset');
    await dialog().getByLabel('Your own password').fill(PASSWORD);
    await press('Make the link', dialog());
    const link = (await dialog().locator('code').innerText()) ?? '';
    expect(link).toMatch(/^http\S+\/password-reset#kpr_[\w-]{72}$/);
    await sound('user-reset-link');
    await press('Copy the link', dialog());
    await press('Done', dialog());
    await expect.poll(() => page.content()).not.toContain('kpr_');
    await opensTo(link);

    await press('Disable', entry('dora'));
    await sound('user-disable');
    await press('Disable', dialog());
    await said().getByText('dora is disabled.').waitFor();
    await entry('dora').getByText('disabled').waitFor();
    expect((await issue('dora', OTHER_PASSWORD)).status).toBe(401);
    await press('Enable', entry('dora'));
    await press('Enable', dialog());
    await said().getByText('dora may log in again.').waitFor();
    const again = await tokenOf('dora', OTHER_PASSWORD);
    await press('End everything', entry('dora'));
    await press('End everything', dialog());
    await said().getByText('All logins and keys of dora are over.').waitFor();
    expect(await cookies(again)).toBe(401);
    await page.getByRole('search').getByLabel('Name').fill('nobody at all');
    await press('Search');
    await page.getByText('Nobody of this name.').waitFor();
    await press('Show all');
    await entry('alice').waitFor();
  });

  it('adds a client, rotates its secret, and disables it', async () => {
    await open({ colorScheme: 'dark' }, '#/clients');
    await signIn('boss');
    await page.getByText('No clients yet.').waitFor();
    await press('New client');
    await dialog().getByLabel('Name').fill('Oven');
    await dialog().getByLabel('cookies:eat').check();
    await press('Add an API', dialog());
    await dialog().getByLabel('Address of the API').fill('https://tea.example');
    await dialog()
      .getByRole('group', { name: 'Scopes of tokens for it' })
      .getByLabel('Others')
      .fill('tea:stir');
    await sound('client-new');
    await press('Remove this API', dialog());
    await press('Add the client', dialog());
    const putAway = async (): Promise<readonly [string, string]> => {
      await dialog().getByText('this once').waitFor();
      const [id = '', secret = ''] = await dialog().locator('code').allInnerTexts();
      expect([id, secret]).toEqual([expect.stringMatching(/^c-/), expect.stringMatching(/^kcs_[\w-]{54}$/)]);
      await press('Copy the client secret', dialog());
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
      await press('Done', dialog());
      await page.locator('dialog').waitFor({ state: 'detached' });
      return [id, secret];
    };
    const [id, first] = await putAway();
    const ask = async (secret: string): Promise<number> => {
      const answer = await fetch(`${keks.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      return answer.status;
    };
    expect(await ask(first)).toBe(200);

    await press('Change APIs', entry('Oven'));
    await press('Add an API', dialog());
    await dialog().getByLabel('Address of the API').fill('https://tea.example');
    await dialog().getByRole('group', { name: 'Scopes of tokens for it' }).getByLabel('cookies:eat').check();
    await sound('client-apis');
    await press('Change the APIs', dialog());
    await said().getByText('Oven gets tokens for: https://tea.example cookies:eat.').waitFor();
    await page.setViewportSize(PHONE);
    await press('Change APIs', entry('Oven'));
    await dialog().getByLabel('Address of the API').waitFor();
    await fits('phone-dark-client-apis');
    await press('Cancel', dialog());
    await page.setViewportSize(DESKTOP);

    await press('Change rules', entry('Oven'));
    await dialog().getByLabel('Exchanges tokens').selectOption('yes');
    await dialog().getByLabel('Bound to a key').selectOption('yes');
    await sound('client-rules');
    await press('Change the rules', dialog());
    await said().getByText('Oven gets tokens by other rules now.').waitFor();
    // the list is read again after the word
    await expect.poll(() => entry('Oven').innerText()).toMatch(/Exchanges tokens[^]*bound to a key \(DPoP\)/);
    expect(await ask(first)).toBe(400);
    await press('Change rules', entry('Oven'));
    expect(await dialog().getByLabel('Bound to a key').inputValue()).toBe('yes');
    await dialog().getByLabel('Bound to a key').selectOption('');
    await press('Change the rules', dialog());
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await ask(first)).toBe(200);

    await press('Secrets', entry('Oven'));
    await press('New secret', entry('Oven'));
    await press('Make the secret', dialog());
    const [, second] = await putAway();
    await page.getByText('Two live at most').waitFor();
    await sound('clients');
    expect([await ask(first), await ask(second)]).toEqual([200, 200]);
    // newest first
    await entry('Oven').getByRole('button', { name: 'Retire' }).last().click();
    await press('Retire the secret', dialog());
    await said().getByText('The secret of Oven is retired.').waitFor();
    expect([await ask(first), await ask(second)]).toEqual([401, 200]);

    await press('Disable', entry('Oven'));
    await press('Disable', dialog());
    await said().getByText('Oven is disabled.').waitFor();
    expect(await ask(second)).toBe(401);
    await press('Audit log', entry('Oven'));
    await page.getByText('client.secret_retired').waitFor();
  });

  it('lists the apps that somebody has let in, and ends what one may do', async () => {
    const app = await appOf('Cookie Calendar');
    const token = await allowedBy('gina', app);
    await open({ colorScheme: 'light' }, '#/consents');
    await signIn('gina');
    await entry('Cookie Calendar').waitFor();
    expect(await entry('Cookie Calendar').innerText()).toMatch(/May\s+cookies:eat\s+Client id\s+c-/);
    await sound('consents');
    expect(await cookies(token)).toBe(200);
    await press('End', entry('Cookie Calendar'));
    await sound('consent-end');
    await press('End it', dialog());
    await said().getByText('Cookie Calendar may do nothing in your name any more.').waitFor();
    await page.getByText('No app or device may act for you.').waitFor();
    expect(await cookies(token)).toBe(401);
  });

  it('makes an initial access token, shown once, which registers clients until it is taken back', async () => {
    await open({ colorScheme: 'dark' }, '#/initial-tokens');
    await signIn('boss');
    await page.getByText('None yet.').waitFor();
    await press('New token');
    await page.getByLabel('Whom it is for').fill('the bakery team');
    await page.getByLabel('Clients', { exact: true }).fill('2');
    await page.getByLabel('Good for').selectOption({ label: '30 days' });
    await sound('initial-token-new');
    await press('Make the token', dialog());
    await dialog().getByText('this once').waitFor();
    const token = await dialog().locator('code').innerText();
    expect(token).toMatch(/^kri_[\w-]{43}$/);
    await sound('initial-token-once');
    await press('Copy the token', dialog());
    await press('Done', dialog());
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(token);
    expect(await entry('the bakery team').innerText()).toMatch(/Clients left\s+2[^]*in 30 days/);
    expect(await registers(token)).toBe(201);
    await view('Sessions');
    await view('Initial access tokens');
    await entry('the bakery team').getByText('1', { exact: true }).waitFor();
    await sound('initial-tokens');
    await press('Take back', entry('the bakery team'));
    await press('Take it back', dialog());
    await said().getByText('“the bakery team” is good for nothing now').waitFor();
    await page.getByText('None yet.').waitFor();
    expect(await registers(token)).toBe(401);
  });

  it('finds grants by user, and revokes one', async () => {
    await open({ colorScheme: 'light' }, '#/users');
    await signIn('boss');
    const token = await tokenOf('carol');
    await press('Grants', entry('carol'));
    await page.getByRole('heading', { name: 'Grants', level: 1 }).waitFor();
    expect(await page.getByRole('search').getByLabel('User').inputValue()).toBe('carol');
    await entry('carol').waitFor();
    await sound('grants');
    await press('Revoke', entry('carol'));
    await press('Revoke the grant', dialog());
    await said().getByText('The grant of carol is revoked').waitFor();
    expect(await cookies(token)).toBe(401);
    await page.getByText('No living grants here').waitFor();
    await press('Show all');
    await entry('boss').first().waitFor();
  });

  it('adds a receiver of events, tries it, shows that it fails, and removes it', async () => {
    const receiver = await EventReceiver.start();
    await open({ colorScheme: 'light' }, '#/receivers');
    await signIn('boss');
    await page.getByText('Nobody is told of what ends.').waitFor();
    await press('New receiver');
    await sound('receiver-new');
    await dialog().getByLabel('Name').fill('siem');
    await dialog().getByLabel('Address').fill(receiver.url);
    await dialog().getByLabel('Authorization').fill('Bearer d29scGVz');
    await press('Add the receiver', dialog());
    await said().getByText('“siem” is told from now on.').waitFor();
    await entry('siem').getByText('new').waitFor();
    await press('Try it', entry('siem'));
    await press('Send the event', dialog());
    await said().getByText('“siem” has taken it.').waitFor();
    expect(receiver.heard.map(({ event, authorization }) => [event, authorization])).toEqual([
      ['verification', 'Bearer d29scGVz'],
    ]);
    await entry('siem').getByText('works').waitFor();
    receiver.behave = answers(500);
    await press('Try it', entry('siem'));
    await press('Send the event', dialog());
    await said().getByText('“siem” has not taken it: it answered 500, and not 202').waitFor();
    await entry('siem').getByText('fails', { exact: true }).waitFor();
    expect(await said().getAttribute('class')).toContain('bad');
    await sound('receivers');
    await page.setViewportSize(PHONE);
    await fits('phone-light-receivers');
    await press('Remove', entry('siem'));
    await press('Remove the receiver', dialog());
    await said().getByText('“siem” is told nothing any more.').waitFor();
    await receiver.close();
  });

  it('pages and filters the audit log, and follows a token through it', async () => {
    await open({ colorScheme: 'light' });
    const first = await tokenOf('carol');
    for (let at = 0; at < 21; at += 1) await tokenOf('carol');
    await cookies(first);
    await signIn('boss');
    await view('Audit log');
    await expect.poll(() => page.locator('.item').count()).toBe(20);
    await sound('audit');
    await press('Show more');
    await expect.poll(() => page.locator('.item').count()).toBeGreaterThan(20);
    await page.getByLabel('What').fill('token.issued');
    await page.getByRole('search').getByLabel('User').fill('carol');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.item').count()).toBe(20);
    expect(new Set(await page.locator('.item h2 > span:first-child').allInnerTexts())).toEqual(
      new Set(['token.issued']),
    );
    const link = page.locator('.item').last().locator('dt:text-is("Grant") + dd button');
    await link.click();
    await expect.poll(() => page.locator('.item').count()).toBe(1);
    expect(await page.getByLabel('Grant id').inputValue()).toMatch(/^[0-9a-f-]{36}$/);
    await press('Show all');
    await page.getByLabel('Until').fill('2020-01-01T00:00');
    await press('Search');
    await page.getByText('Nothing of this kind has happened').waitFor();
    await page.getByLabel('Until').fill('');
    await page.getByLabel('From').fill('2020-01-01T00:00');
    await press('Search');
    await expect.poll(() => page.locator('.item').count()).toBe(20);
    await page.getByLabel('What').fill('no.such');
    await press('Search');
    await page.getByText('Nothing of this kind has happened').waitFor();
    await sound('audit-empty');
  });

  it('tells the story of a token: pasted, followed into its refresh, and refused because it was revoked', async () => {
    refused = [404];
    await open({ colorScheme: 'light' }, '#/story');
    const issued = (await (await issue('carol', PASSWORD, 'cookies:eat offline_access')).json()) as Record<
      string,
      string
    >;
    const refreshed = await fetch(`${keks.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: issued['refresh_token'] ?? '',
      }),
    });
    const { access_token: token = '' } = (await refreshed.json()) as Record<string, string>;
    await fetch(`${keks.url}/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    await signIn('boss');
    const look = async (text: string): Promise<void> => {
      await page.getByRole('search').getByRole('textbox').fill(text);
      await press('Tell');
    };
    await look('kat_nonsense');
    await page.getByText('Nothing is known of it.').waitFor();
    await look(token);
    await page.locator('.timeline').waitFor();
    expect(await page.getByRole('search').getByRole('textbox').inputValue()).toBe('');
    expect(await entry('Access token').innerText()).toMatch(/refused[^]*Refused because\s+revoked/);
    expect(await entry('Login of carol').innerText()).toContain('oven/1.0');
    expect(await page.locator('.timeline p').allInnerTexts()).toEqual([
      'Issued',
      'Refreshed into new tokens',
      'Revoked',
    ]);
    expect(await page.locator('.timeline li').last().innerText()).toMatch(/by\s+holder[^]*this one/);
    await sound('story');
    await page.locator('.timeline li').first().getByRole('button').first().click();
    await entry('Access token').getByText('Id').waitFor();
    await expect.poll(() => page.locator('.timeline li').first().innerText()).toContain('this one');
    await page.setViewportSize(PHONE);
    await fits('phone-light-story');
  });

  it('draws live numbers of what happens meanwhile', async () => {
    await open({ colorScheme: 'dark' }, '#/numbers');
    await signIn('boss');
    await page.locator('.figure').first().waitFor();
    const token = await tokenOf('carol');
    for (let at = 0; at < 20; at += 1) await cookies(at % 4 === 0 ? 'nonsense' : token);
    const total = async (title: string): Promise<number> => {
      const text = await page.locator('.number', { hasText: title }).first().locator('.small').innerText();
      return Number(/^[\d,]+/.exec(text)?.[0].replaceAll(',', ''));
    };
    await page.getByRole('heading', { name: 'The last day' }).waitFor();
    await expect.poll(() => page.locator('.day .figure').count()).toBe(6);
    await page.locator('.reasons').getByText('malformed').waitFor();
    await expect.poll(() => total('Validated')).toBeGreaterThan(15);
    await expect.poll(() => page.locator('.number').first().locator('.curve').count()).toBe(1);
    expect(await page.getByText('These are the numbers of one process').innerText()).toMatch(/second|minute/);
    await sound('numbers');
    await page.locator('.day').scrollIntoViewIfNeeded();
    await screenshot(page, 'console-numbers-day');
    await page.setViewportSize(PHONE);
    await fits('phone-dark-numbers');
    const other = { instance: '00000000-0000-4000-8000-000000000000', uptime: 1, validated: 0 };
    await page.route('**/admin/numbers', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), ...other } });
    });
    await page.getByText('2 processes have answered so far').waitFor();
    expect(await page.locator('.board > .number > .figure').filter({ hasText: '–' }).count()).toBe(4);
    await view('Users');
    const asked = addresses.length;
    await page.waitForTimeout(2_500);
    expect(addresses.slice(asked).filter((one) => one.endsWith('/admin/numbers'))).toEqual([]);
  });

  it('fits a phone for administrators too', async () => {
    await open({ viewport: PHONE, colorScheme: 'light' });
    await signIn('boss');
    for (const name of ['Users', 'Clients', 'Grants', 'Audit log']) {
      await view(name);
      await page.locator('.item').first().waitFor();
      await fits(`phone-light-${name.toLowerCase().replace(' ', '-')}`);
    }
    await press('Menu');
    await sound('phone-light-menu-admin');
  });

  it.each(['light', 'dark'] as const)('fits a phone: %s', async (colorScheme) => {
    await open({ viewport: PHONE, colorScheme });
    await fits(`phone-${colorScheme}-sign-in`);
    await signIn('alice');
    await sound(`phone-${colorScheme}-sessions`);
    await press('Menu');
    await sound(`phone-${colorScheme}-menu`);
    await press('Menu');
    await view('API keys');
    await press('New key');
    await fits(`phone-${colorScheme}-key-new`);
    await press('Cancel');
    await view('Consents');
    await page.getByText('No app or device may act for you.').waitFor();
    await fits(`phone-${colorScheme}-consents`);
    await view('Password');
    await fits(`phone-${colorScheme}-password`);
  });

  async function registers(token: string): Promise<number> {
    const answer = await fetch(`${keks.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ redirect_uris: [DONE], token_endpoint_auth_method: 'none' }),
    });
    return answer.status;
  }

  /** @returns the id of a client that acts for people */
  async function appOf(name: string): Promise<string> {
    const answer = await fetch(`${keks.url}/admin/clients`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf('boss')}` },
      body: JSON.stringify({
        ...{ name, scope: 'cookies:eat', redirect_uris: [DONE], token_endpoint_auth_method: 'none' },
      }),
    });
    return ((await answer.json()) as { client_id: string }).client_id;
  }

  /** @returns the token that the client gets */
  async function allowedBy(user: string, app: string): Promise<string> {
    const visitor = new Visitor(keks.url);
    const { verifier, challenge } = pkce();
    const path = authorizePath({ client_id: app, redirect_uri: DONE, code_challenge: challenge });
    const asked = await visitor.signIn(await visitor.open(path), user);
    const { code = '' } = answerOf(await visitor.submit(asked, 'consent', { decision: 'allow' }));
    const form = { grant_type: 'authorization_code', client_id: app, redirect_uri: DONE };
    return issued(await submit(keks.url, '/oauth/token', { ...form, code, code_verifier: verifier }))
      .access_token;
  }

  async function keyOf(user: string, password = PASSWORD): Promise<string> {
    const answer = await fetch(`${keks.url}/keys`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await tokenOf(user, password)}`,
      },
      body: JSON.stringify({ label: 'oven', password }),
    });
    return ((await answer.json()) as { key: string }).key;
  }

  async function sessionsOf(user: string): Promise<unknown[]> {
    const answer = await fetch(`${keks.url}/sessions`, {
      headers: { authorization: `Bearer ${await tokenOf(user)}` },
    });
    return ((await answer.json()) as { items: unknown[] }).items;
  }
});
