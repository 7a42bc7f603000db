import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../support/certificate.js';
import { keks as cli, only } from '../support/keks.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { PASSWORD } from '../support/test-app.js';
import { openBrowser, watch } from './support/browser.js';
import { DESKTOP, PHONE, screenshot } from './support/page.js';

const CHALLENGE = createHash('sha256').update('a'.repeat(43)).digest('base64url');

/** Whatever the certificate. */
function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/health/ready', rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });
}

describe('signing in and consenting over HTTPS', () => {
  let dataDir: string;
  let keks: ServerProcess;
  let issuer: string;
  let browser: Browser;
  let app: Server;
  let done: string;
  let clientId: string;
  /** What the program of somebody else has been told. */
  const heard: URLSearchParams[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-secure-'));
    const { cert, key } = await selfSigned();
    const [TLS_CERT, TLS_KEY] = [join(dataDir, 'cert.pem'), join(dataDir, 'key.pem')];
    await writeFile(TLS_CERT, cert);
    await writeFile(TLS_KEY, key, { mode: 0o600 });
    const port = await freePort();
    issuer = `https://127.0.0.1:${port}`;
    const settings = {
      ...{ NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: '20000', PORT: String(port) },
      ...{ DATA_DIR: join(dataDir, 'data'), ISSUER: issuer, TLS_CERT, TLS_KEY },
    };
    keks = launch(settings, issuer);
    browser = await openBrowser();
    app = createServer((asked, response) => {
      const [path, query] = (asked.url ?? '').split('?');
      if (path === '/done') heard.push(new URLSearchParams(query));
      response.setHeader('content-type', 'text/html').end('<title>App</title><h1>Thank you</h1>');
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    done = `http://127.0.0.1:${(app.address() as AddressInfo).port}/done`;
    for (let attempt = 0; !(await isReady(port)); attempt += 1) {
      if (attempt > 1_200 || keks.child.exitCode !== null) throw new Error(keks.output());
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const scope = 'cookies:eat cookies:bake';
    await cli(settings, ['user', 'add', 'Ann', '--password-stdin', '--scope', scope], { input: PASSWORD });
    const added = await cli(settings, [
      ...['client', 'add', 'Cookie Calendar', '--redirect-uri', 'http://127.0.0.1/done'],
      ...['--scope', scope, '--json'],
    ]);
    clientId = (only(added.stdout) as { client_id: string }).client_id;
  });

  afterAll(async () => {
    await browser?.close();
    await keks?.stop();
    app?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const address = (more: Record<string, string> = {}): string =>
    `${issuer}/oauth/authorize?${new URLSearchParams({
      ...{ response_type: 'code', client_id: clientId, redirect_uri: done, state: 'xyz' },
      ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256', scope: 'cookies:eat', ...more },
    })}`;
  const open = (options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> =>
    browser.newContext({
      ignoreHTTPSErrors: true,
      javaScriptEnabled: false,
      viewport: DESKTOP,
      ...options,
    });
  const signIn = async (page: Page): Promise<void> => {
    await page.getByLabel('Name').fill('Ann');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  const asked = (page: Page): Promise<void> =>
    page.getByRole('heading', { name: 'Let Cookie Calendar act for you?' }).waitFor();
  const press = (page: Page, name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click();
  const thanked = (page: Page): Promise<void> => page.getByRole('heading', { name: 'Thank you' }).waitFor();
  /** Of the browser, as it keeps them. */
  const sessions = async (context: BrowserContext) =>
    (await context.cookies()).filter(({ name }) => name.endsWith('session'));

  it('keeps the session in a __Host- cookie, with all that this name promises', async () => {
    const context = await open();
    const page = await context.newPage();
    const seen = watch(page);
    await page.goto(address());
    await signIn(page);
    await asked(page);
    const cookies = await context.cookies();
    expect(cookies.map(({ name }) => name).sort()).toEqual(['__Host-keks-session', '__Host-keks-visit']);
    for (const cookie of cookies)
      expect(cookie).toMatchObject({
        ...{ domain: '127.0.0.1', path: '/', secure: true, httpOnly: true, sameSite: 'Lax', expires: -1 },
      });
    await press(page, 'Allow');
    await thanked(page);
    expect(heard.at(-1)?.get('code')).toMatch(/^kac_/);
    expect(heard.at(-1)?.get('iss')).toBe(issuer);
    expect(seen.errors).toEqual([]);
    // signed in, as the cookie says
    await page.goto(address());
    await asked(page);
    await context.close();
  });

  it('signs out: the browser has no such cookie any more, and another tab allows nothing', async () => {
    const context = await open({ viewport: PHONE });
    const page = await context.newPage();
    await page.goto(address());
    await signIn(page);
    await asked(page);
    const second = await context.newPage();
    await second.goto(address());
    await asked(second);
    await press(page, 'Sign out');
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await sessions(context)).toEqual([]);
    const before = heard.length;
    await press(second, 'Allow');
    await second.getByRole('heading', { name: 'You are signed out' }).waitFor();
    // nor does the back button bring the page again: it was not kept
    await second.goBack();
    await second.getByLabel('Password').waitFor();
    expect(heard).toHaveLength(before);
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await signIn(page);
    await asked(page);
    await context.close();
  });

  it('steps up: what was allowed and remembered is not asked again, and more than that is', async () => {
    const context = await open();
    const page = await context.newPage();
    await page.goto(address());
    await signIn(page);
    await page.getByLabel('Do not ask me again').check();
    await press(page, 'Allow');
    await thanked(page);
    const count = heard.length;
    await page.goto(address());
    await thanked(page);
    expect(heard).toHaveLength(count + 1);
    await page.goto(address({ scope: 'cookies:eat cookies:bake' }));
    await asked(page);
    await page.getByText('cookies:bake').waitFor();
    await screenshot(page, 'secure-step-up');
    await press(page, 'Allow');
    await thanked(page);
    await context.close();
  });

  it('asks for the password once more when a program wants that, and has a new session then', async () => {
    const context = await open();
    const page = await context.newPage();
    await page.goto(address({ prompt: 'consent' }));
    await signIn(page);
    await asked(page);
    const [first] = await sessions(context);
    await page.goto(address({ prompt: 'login consent' }));
    await signIn(page);
    await asked(page);
    const [second, ...others] = await sessions(context);
    expect(others).toEqual([]);
    expect(second?.value).not.toBe(first?.value);
    await context.close();
  });

  it('two tabs: each answers its own request, whichever was opened first', async () => {
    const context = await open();
    const [one, two] = [await context.newPage(), await context.newPage()];
    // both are shown the sign-in before anybody signs in
    await one.goto(address({ prompt: 'consent', state: 'one' }));
    await two.goto(address({ prompt: 'consent', state: 'two' }));
    await signIn(one);
    await asked(one);
    // the second tab's page is of the time before: it says so, and leads on
    await signIn(two);
    await two.getByRole('link', { name: 'Start again' }).click();
    await asked(two);
    await press(two, 'Allow');
    await thanked(two);
    expect(heard.at(-1)?.get('state')).toBe('two');
    await press(one, 'Deny');
    await thanked(one);
    expect([heard.at(-1)?.get('state'), heard.at(-1)?.get('error')]).toEqual(['one', 'access_denied']);
    await context.close();
  });
});
