import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askForCodes, codesOf, poll, type Codes } from '../support/device.js';
import { keks as cli, only } from '../support/keks.js';
import { issued } from '../support/oauth.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { openBrowser, watch } from './support/browser.js';
import { DESKTOP, flaws, overflow, PHONE, screenshot } from './support/page.js';

describe('a code that a device shows, typed at /device, without scripts', () => {
  let dataDir: string;
  let keks: ServerProcess;
  let browser: Browser;
  let client: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-browser-'));
    [keks, browser] = await Promise.all([
      startProcess({ NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: '20000', DATA_DIR: dataDir }),
      openBrowser(),
    ]);
    const added = await cli({ NODE_ENV: 'test', DATA_DIR: dataDir, PORT: new URL(keks.url).port }, [
      ...['client', 'add', 'Kitchen Screen', '--public', '--device', '--scope', 'cookies:eat', '--json'],
    ]);
    client = (only(added.stdout) as { client_id: string }).client_id;
  });

  afterAll(async () => {
    await browser?.close();
    await keks?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const ask = async (): Promise<Codes> =>
    codesOf(await askForCodes(keks.url, { client_id: client, scope: 'cookies:eat offline_access' }));
  const open = (options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> =>
    browser.newContext({ javaScriptEnabled: false, viewport: PHONE, ...options });
  const signIn = async (page: Page): Promise<void> => {
    await page.getByLabel('Name').fill('CookieDestroyer');
    await page.getByLabel('Password').fill('U+1F36A');
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  it('signs in, types the code as it likes, allows, and the device has its token', async () => {
    const context = await open();
    const page = await context.newPage();
    const seen = watch(page);
    const { device_code, user_code, verification_uri } = await ask();
    await page.goto(verification_uri);
    await signIn(page);
    await page.getByRole('heading', { name: 'Which code does your device show?' }).waitFor();
    await page.getByLabel('Code').fill('bbb bbb bbb');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('No device is waiting with this code.').waitFor();
    await page.getByLabel('Code').fill(user_code.toLowerCase().replaceAll('-', ' '));
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('heading', { name: 'Let Kitchen Screen act for you?' }).waitFor();
    await page.getByText(user_code).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Your device is let in' }).waitFor();
    expect(issued(await poll(keks.url, device_code, { client_id: client })).scope).toBe('cookies:eat');
    expect([...seen.hosts]).toEqual([new URL(keks.url).host]);
    await context.close();
  });

  it('fills in the code of a link, has it confirmed, and denies as easily as it allows', async () => {
    const context = await open();
    const page = await context.newPage();
    const { device_code, user_code, verification_uri_complete } = await ask();
    await page.goto(verification_uri_complete);
    await signIn(page);
    await page.getByRole('heading', { name: 'Is this the code on your device?' }).waitFor();
    expect(await page.getByLabel('Code').inputValue()).toBe(user_code);
    await page.getByRole('button', { name: 'My device shows this code' }).click();
    const [deny, allow] = await Promise.all(
      ['Deny', 'Allow'].map((name) => page.getByRole('button', { name }).boundingBox()),
    );
    expect([deny?.height, Math.round(deny?.width ?? 0)]).toEqual([
      allow?.height,
      Math.round(allow?.width ?? 1),
    ]);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'Nothing was allowed' }).waitFor();
    const { body } = await poll(keks.url, device_code, { client_id: client });
    expect(body).toMatchObject({ error: 'access_denied' });
    await context.close();
  });

  it.each(['light', 'dark'] as const)(
    'is readable on a phone and a desktop, %s, and axe finds nothing',
    async (colorScheme) => {
      // axe is a script: the page has none, and its policy would not let one in
      const context = await open({ javaScriptEnabled: true, bypassCSP: true, colorScheme });
      const page = await context.newPage();
      const shown = async (name: string): Promise<void> => {
        for (const [size, viewport] of [
          ['desktop', DESKTOP],
          ['phone', PHONE],
        ] as const) {
          await page.setViewportSize(viewport);
          expect([name, await flaws(page), await overflow(page)]).toEqual([name, [], 0]);
          await screenshot(page, `device-${name}-${size}-${colorScheme}`);
        }
      };
      const { user_code } = await ask();
      await page.goto(`${keks.url}/device`);
      await shown('login');
      await signIn(page);
      await page.getByLabel('Code').waitFor();
      await shown('code');
      await page.getByLabel('Code').fill('x');
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('No device is waiting with this code.').waitFor();
      await shown('unknown');
      await page.goto(`${keks.url}/device?user_code=${user_code}`);
      await shown('confirm');
      await page.getByRole('button', { name: 'My device shows this code' }).click();
      await page.getByRole('button', { name: 'Allow' }).waitFor();
      await shown('consent');
      await page.getByRole('button', { name: 'Allow' }).click();
      await page.getByRole('heading', { name: 'Your device is let in' }).waitFor();
      await shown('done');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
      await shown('signed-out');
      await page.getByRole('link', { name: 'Sign in again' }).click();
      await page.getByLabel('Password').waitFor();
      await context.close();
    },
  );
});
