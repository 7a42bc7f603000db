import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keks as cli, only } from '../support/keks.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { openBrowser, watch, type Watch } from './support/browser.js';

interface Shown {
  readonly status: string;
  readonly body: string;
}

/** Presses "Execute" and reads what the page then shows. */
async function execute(block: Locator): Promise<Shown> {
  const clear = block.locator('.btn-clear');
  if (await clear.isVisible()) await clear.click();
  await block.locator('.execute').click();
  const answer = block.locator('.live-responses-table');
  await answer.waitFor();
  const status = (await answer.locator('tbody .response-col_status').innerText()).trim();
  const body = await answer.locator('.response-col_description .highlight-code > pre').first().innerText();
  return { status: status.split(/\s/)[0] ?? '', body };
}

describe('Swagger UI at /docs', () => {
  let dataDir: string;
  let keks: ServerProcess;
  let browser: Browser;
  let page: Page;
  let seen: Watch;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-browser-'));
    [keks, browser] = await Promise.all([
      startProcess({ NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: '20000', DATA_DIR: dataDir }),
      openBrowser(),
    ]);
    page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    page.setDefaultTimeout(60_000);
    seen = watch(page);
    await page.goto(`${keks.url}/docs`);
    await page.locator('.opblock').first().waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await keks?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** The block of an operation, opened. */
  async function operation(method: string, path: string): Promise<Locator> {
    const block = page.locator(`.opblock-${method}`, {
      has: page.locator(`[data-path="${path}"]`),
    });
    if (!(await block.getAttribute('class'))?.includes('is-open'))
      await block.locator('.opblock-summary-control').click();
    await block.locator('.execute').waitFor();
    return block;
  }

  /** The part of the dialogue for one scheme. */
  async function openAuthorization(scheme: string): Promise<Locator> {
    await page.locator('.scheme-container .btn.authorize').click();
    const dialogue = page.locator('.dialog-ux');
    await dialogue.waitFor();
    return dialogue.locator('.auth-container', { has: page.locator('h4', { hasText: scheme }) });
  }

  const submit = (scheme: Locator): Promise<void> =>
    scheme
      .getByRole('button', { name: 'Apply credentials' })
      .or(scheme.locator('.authorize'))
      .first()
      .click();
  const closeAuthorization = (): Promise<void> => page.locator('.dialog-ux .btn-done').first().click();

  async function logOut(scheme: string): Promise<void> {
    const authorized = await openAuthorization(scheme);
    await authorized.getByText('Logout').click();
    await closeAuthorization();
    seen.errors.length = 0; // Chromium writes every 401 of a fetch on the console
  }

  async function addClient(name: string): Promise<{ client_id: string; client_secret: string }> {
    const added = await cli({ NODE_ENV: 'test', DATA_DIR: dataDir, PORT: new URL(keks.url).port }, [
      ...['client', 'add', name, '--scope', 'cookies:eat', '--json'],
    ]);
    return only(added.stdout) as { client_id: string; client_secret: string };
  }

  it('loads without an error on the console and asks nobody but its own server', () => {
    expect(seen.errors).toEqual([]);
    expect([...seen.hosts]).toEqual([new URL(keks.url).host]);
  });

  it('lists every operation, in groups that say what they are', async () => {
    const document = (await (await fetch(`${keks.url}/docs-json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
      tags: { name: string }[];
    };
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = await page
      .locator('.opblock-summary')
      .evaluateAll((summaries) =>
        summaries.map((one) =>
          ['.opblock-summary-method', '.opblock-summary-path']
            .map((part) => one.querySelector(part)?.textContent?.replace(/[\s\u200B]/g, ''))
            .join(' '),
        ),
      );
    expect(shown.sort()).toEqual(documented.sort());
    const groups = await page
      .locator('.opblock-tag')
      .evaluateAll((tags) => tags.map((tag) => tag.getAttribute('data-tag')));
    expect(groups).toEqual(document.tags.map((tag) => tag.name));
    await screenshot('overview');
  });

  it('tells the story: issue, three cookies, log out, none', async () => {
    const issued = await execute(await operation('post', '/issue'));
    expect(issued.status).toBe('200');
    const { token } = JSON.parse(issued.body) as { token: string };
    expect(token).toMatch(/^kat_/);
    await screenshot('issued');

    // the page has it already
    const cookies = await operation('get', '/cookies');
    const eaten = await execute(cookies);
    expect(eaten.status).toBe('200');
    expect(JSON.parse(eaten.body)).toEqual(['Cookie', 'Cookie', 'Cookie']);

    await logOut('bearer');
    const refused = await execute(cookies);
    expect(refused.status).toBe('401');
    expect(JSON.parse(refused.body)).toMatchObject({ error: 'unauthorized' });
    await screenshot('refused');
    expect([...seen.hosts]).toEqual([new URL(keks.url).host]);
  });

  it('has examples that work as they are offered: of a login, and of what a login may do', async () => {
    const examples = [
      ['post', '/issue', '200'],
      ['post', '/validate', '200'],
      ['get', '/sessions', '200'],
      ['post', '/keys', '201'],
      ['get', '/keys', '200'],
      ['post', '/revoke', '200'],
      ['post', '/validate', '401'],
      ['get', '/cookies', '401'],
    ] as const;
    for (const [method, path, status] of examples)
      expect([path, (await execute(await operation(method, path))).status]).toEqual([path, status]);
    await logOut('bearer');
  });

  it('has forms that work as they are offered, for a client', async () => {
    const made = await addClient('mill');
    const basic = await openAuthorization('client');
    const [id, secret] = [basic.locator('input').nth(0), basic.locator('input').nth(1)];
    await id.fill(made.client_id);
    await secret.fill(made.client_secret);
    await submit(basic);
    await closeAuthorization();
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke'])
      expect([path, (await execute(await operation('post', path))).status]).toEqual([path, '200']);
    await screenshot('forms');
    await logOut('client');
  });

  it('logs a client in, by client credentials, and says why it cannot', async () => {
    const made = await addClient('oven');
    const wrong = await openAuthorization('oauth2');
    await wrong.locator('#client_id_clientCredentials').fill(made.client_id);
    await wrong.locator('#client_secret_clientCredentials').fill('kcs_wrong');
    await wrong.locator('label', { hasText: 'cookies:eat' }).click();
    await submit(wrong);
    await wrong.locator('.errors').getByText('invalid_client').waitFor();
    await screenshot('client-refused');
    seen.errors.length = 0; // Chromium writes every 401 of a fetch on the console

    await wrong.locator('#client_secret_clientCredentials').fill(made.client_secret);
    const asked = page.waitForRequest((request) => request.url().endsWith('/oauth/token'));
    await submit(wrong);
    expect(await (await asked).headerValue('authorization')).toMatch(/^Basic /);
    await wrong.getByText('Logout').waitFor();
    await screenshot('client-authorized');
    await closeAuthorization();

    const cookies = await operation('get', '/cookies');
    const eaten = await execute(cookies);
    expect(eaten).toMatchObject({ status: '200' });
    expect(JSON.parse(eaten.body)).toEqual(['Cookie', 'Cookie', 'Cookie']);
    expect(seen.errors).toEqual([]);
    await screenshot('client-eats');

    await logOut('oauth2');
    expect((await execute(cookies)).status).toBe('401');
    expect([...seen.hosts]).toEqual([new URL(keks.url).host]);
  });

  it('works under another name of the same machine, where the public address would be a foreign origin', async () => {
    await page.goto(`${keks.url.replace('127.0.0.1', 'localhost')}/docs`);
    expect((await execute(await operation('post', '/issue'))).status).toBe('200');
  });

  /** For people: `SCREENSHOTS=folder npm run test:browser`. */
  async function screenshot(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
});
