import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keks as cli, only } from '../support/keks.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { openBrowser, watch } from './support/browser.js';
import { DESKTOP, flaws, overflow, PHONE, screenshot } from './support/page.js';

const VERIFIER = 'a'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** The program of somebody else, on a port that the system gave it. */
interface App {
  readonly server: Server;
  readonly url: string;
  /** What it has been told, by query or by form. */
  readonly heard: URLSearchParams[];
}

async function startApp(): Promise<App> {
  const heard: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const query = (request.url ?? '').split('?')[1] ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url?.startsWith('/done'))
        heard.push(new URLSearchParams(query || Buffer.concat(chunks).toString()));
      response.setHeader('content-type', 'text/html').end('<title>App</title><h1>Thank you</h1>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/done`, heard };
}

describe('signing in and consenting, without scripts', () => {
  let dataDir: string;
  let keks: ServerProcess;
  let browser: Browser;
  let app: App;
  let clientId: string;
  let authorization: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-browser-'));
    [keks, browser, app] = await Promise.all([
      startProcess({
        ...{ NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: '20000', DATA_DIR: dataDir },
        ...{ REGISTRATION: 'open', REGISTRATION_SCOPE: 'cookies:eat' },
      }),
      openBrowser(),
      startApp(),
    ]);
    const added = await cli({ NODE_ENV: 'test', DATA_DIR: dataDir, PORT: new URL(keks.url).port }, [
      ...['client', 'add', 'Cookie Calendar', '--redirect-uri', 'http://127.0.0.1/done'],
      ...['--scope', 'cookies:eat', '--json'],
    ]);
    const made = only(added.stdout) as { client_id: string; client_secret: string };
    clientId = made.client_id;
    authorization = `Basic ${btoa(`${made.client_id}:${made.client_secret}`)}`;
  });

  afterAll(async () => {
    await browser?.close();
    await keks?.stop();
    app?.server.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const address = (more: Record<string, string> = {}, url = keks.url): string =>
    `${url}/oauth/authorize?${new URLSearchParams({
      ...{ response_type: 'code', client_id: clientId, redirect_uri: app.url, state: 'xyz' },
      ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256', ...more },
    })}`;
  const open = (options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> =>
    browser.newContext({ javaScriptEnabled: false, viewport: DESKTOP, ...options });
  const signIn = async (page: Page, password = 'U+1F36A'): Promise<void> => {
    await page.getByLabel('Name').fill('CookieDestroyer');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  /** Of a client that has registered itself. */
  const wrongRequest = async (more: Record<string, string> = {}): Promise<string> => {
    const registered = await fetch(`${keks.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Your bank', redirect_uris: ['http://127.0.0.1/done'] }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    return address({ client_id, scope: 'cookies:burn', ...more });
  };
  const exchanged = async (code: string): Promise<number> => {
    const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER };
    const body = new URLSearchParams({ ...form, redirect_uri: app.url });
    return (await fetch(`${keks.url}/oauth/token`, { method: 'POST', headers: { authorization }, body }))
      .status;
  };

  it('signs in, allows, and is back at the program with a code that works', async () => {
    const context = await open();
    const page = await context.newPage();
    const seen = watch(page);
    await page.goto(address({ scope: 'cookies:eat offline_access' }));
    await screenshot(page, 'authorize-login');
    await signIn(page, 'wrong');
    await page.getByText('The name or the password is wrong.').waitFor();
    await screenshot(page, 'authorize-wrong');
    await signIn(page);
    await page.getByRole('heading', { name: 'Let Cookie Calendar act for you?' }).waitFor();
    const [cookie] = (await context.cookies()).filter(({ name }) => name.endsWith('session'));
    expect(cookie).toMatchObject({
      name: 'keks-session',
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      expires: -1,
    });
    await screenshot(page, 'authorize-consent');
    await page.getByLabel('Do not ask me again').check();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    const told = app.heard.at(-1);
    expect([told?.get('state'), told?.get('iss')]).toEqual(['xyz', keks.url]);
    expect(await exchanged(told?.get('code') ?? '')).toBe(200);
    // remembered: no page at all
    await page.goto(address());
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(await exchanged(app.heard.at(-1)?.get('code') ?? '')).toBe(200);
    // and the answer by a form, which has a button for those without scripts
    await page.goto(address({ response_mode: 'form_post' }));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(app.heard.at(-1)?.get('code')).toMatch(/^kac_/);
    expect([...seen.hosts].sort()).toEqual([new URL(keks.url).host, new URL(app.url).host].sort());
    await context.close();
  });

  it('denies as easily: both buttons are of one size', async () => {
    const context = await open();
    const page = await context.newPage();
    await page.goto(address({ prompt: 'consent' }));
    await signIn(page);
    const [deny, allow] = await Promise.all(
      ['Deny', 'Allow'].map((name) => page.getByRole('button', { name }).boundingBox()),
    );
    expect([deny?.height, Math.round(deny?.width ?? 0)]).toEqual([
      allow?.height,
      Math.round(allow?.width ?? 1),
    ]);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(app.heard.at(-1)?.get('error')).toBe('access_denied');
    await context.close();
  });

  it('sends the answer by a form by itself where there are scripts', async () => {
    const context = await open({ javaScriptEnabled: true });
    const page = await context.newPage();
    await page.goto(address({ response_mode: 'form_post', prompt: 'none' }));
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(app.heard.at(-1)?.get('error')).toBe('login_required');
    await context.close();
  });

  it('goes back and forth: the back button, a second tab, another person', async () => {
    const context = await open();
    const page = await context.newPage();
    await page.goto(address({ prompt: 'consent' }));
    await signIn(page);
    const second = await context.newPage();
    await second.goto(address({ prompt: 'consent' }));
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    await second.getByRole('link', { name: 'not you?' }).click();
    await second.getByLabel('Password').waitFor();
    await context.close();
  });

  it('asks before it sends anybody to a program that nobody has checked', async () => {
    const context = await open();
    const page = await context.newPage();
    await page.goto(await wrongRequest());
    await page.getByRole('heading', { name: 'Nothing was allowed' }).waitFor();
    await page.getByRole('link', { name: 'Go back to a program on this computer (127.0.0.1)' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(app.heard.at(-1)?.get('error')).toBe('invalid_scope');
    await page.goto(await wrongRequest({ response_mode: 'form_post' }));
    await page.getByRole('button', { name: 'Go back to' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(app.heard.at(-1)?.get('error')).toBe('invalid_scope');
    await context.close();
  });

  it('tells a person of a client that nobody knows', async () => {
    const context = await open();
    const page = await context.newPage();
    await page.goto(address({ client_id: 'c-000000000000000000000000' }));
    await page.getByRole('heading', { name: 'Keks does not know who asks' }).waitFor();
    await screenshot(page, 'authorize-unknown');
    await context.close();
  });

  it.each(['light', 'dark'] as const)(
    'is readable on a phone and a desktop, %s, and axe finds nothing',
    async (colorScheme) => {
      // axe is a script: the page has none, and its policy would not let one in
      const context = await open({ javaScriptEnabled: true, bypassCSP: true, colorScheme });
      const page = await context.newPage();
      for (const [name, size] of [
        ['desktop', DESKTOP],
        ['phone', PHONE],
      ] as const) {
        await page.setViewportSize(size);
        await page.goto(address({ prompt: 'login consent', scope: 'cookies:eat offline_access' }));
        expect([await flaws(page), await overflow(page)]).toEqual([[], 0]);
        await screenshot(page, `authorize-login-${name}-${colorScheme}`);
        await signIn(page);
        if (name === 'phone' || (await page.getByRole('button', { name: 'Allow' }).count()) > 0) {
          expect([await flaws(page), await overflow(page)]).toEqual([[], 0]);
          await screenshot(page, `authorize-consent-${name}-${colorScheme}`);
        }
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
        expect([await flaws(page), await overflow(page)]).toEqual([[], 0]);
        await screenshot(page, `authorize-signed-out-${name}-${colorScheme}`);
        await page.goto(await wrongRequest());
        expect([await flaws(page), await overflow(page)]).toEqual([[], 0]);
        await screenshot(page, `authorize-leave-${name}-${colorScheme}`);
      }
      await context.close();
    },
  );
});
