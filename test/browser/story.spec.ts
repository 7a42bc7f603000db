import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page, Response } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProcess, type ServerProcess } from '../support/process.js';
import { openBrowser, watch, type Watch } from './support/browser.js';
import { DESKTOP, flaws, overflow, POLICY, screenshot } from './support/page.js';

const PHONE = { width: 390, height: 844 };
/** What Chromium itself writes about the two refusals that belong to the story. */
const REFUSED = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';

/** What the network saw, to hold against what the page shows. */
interface Wire {
  readonly calls: string[];
  readonly bodies: Promise<string>[];
  /** What the page consists of. */
  readonly parts: Set<string>;
}

describe('the story page at /', () => {
  let dataDir: string;
  let keks: ServerProcess;
  let browser: Browser;
  let page: Page;
  let seen: Watch;
  let wire: Wire;
  let underWay: number;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keks-story-'));
    [keks, browser] = await Promise.all([
      startProcess({ NODE_ENV: 'test', BCRYPT_COST: '4', DATABASE_TIMEOUT: '20000', DATA_DIR: dataDir }),
      openBrowser(),
    ]);
  });

  afterAll(async () => {
    await browser?.close();
    await keks?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  afterEach(async () => {
    expect(seen.errors.filter((error) => error !== REFUSED)).toEqual([]);
    expect([...seen.hosts]).toEqual([new URL(keks.url).host]);
    await page.context().close();
  });

  /** With a clock of its own: the pauses between messages are for people. */
  async function open(options: BrowserContextOptions = {}): Promise<void> {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.clock.install();
    seen = watch(page);
    wire = { calls: [], bodies: [], parts: new Set() };
    page.on('response', note);
    underWay = 0;
    page.on('request', () => (underWay += 1));
    page.on('requestfinished', () => (underWay -= 1));
    page.on('requestfailed', () => (underWay -= 1));
    await page.goto(keks.url);
    await page.locator('.scene').first().waitFor();
  }

  function note(response: Response): void {
    const path = new URL(response.url()).pathname;
    if (path === '/' || path === '/page.css' || path.startsWith('/story')) {
      wire.parts.add(path);
      return;
    }
    wire.calls.push(`${response.request().method()} ${path} ${response.status()}`);
    wire.bodies.push(response.text());
  }

  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  const scene = (number: number): Locator => page.locator('.scene').nth(number - 1);
  const shownStatuses = (): Promise<string[]> =>
    page.locator('.wire .line:first-child :is(.ok, .no)').allInnerTexts();

  async function until(done: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 400; attempt += 1) {
      if (await done()) return;
      // the page's clock waits for the network, or its own time-outs would outrun a busy machine
      if (underWay === 0) await page.clock.runFor(500);
      else await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`the story stands still: ${await page.locator('#narrator').innerText()}`);
  }

  async function playToTheEnd(): Promise<void> {
    await press('Play');
    await until(async () => (await page.locator('#play').innerText()) === 'Play again');
  }

  async function stepTo(number: number): Promise<void> {
    for (let at = 1; at <= number; at += 1) {
      await press('Step');
      await until(async () => (await page.locator('#play').innerText()) !== 'Play' || !(await isBusy()));
    }
  }

  async function isBusy(): Promise<boolean> {
    const over = (await page.locator('#play').innerText()) === 'Play again';
    return !over && (await page.locator('#step').getAttribute('aria-disabled')) === 'true';
  }

  it('comes with a strict policy, may be kept but is asked for again, and has every type right', async () => {
    await open();
    const answer = await fetch(`${keks.url}/`);
    expect(answer.headers.get('content-security-policy')).toBe(POLICY);
    expect(wire.parts.size).toBeGreaterThanOrEqual(9);
    const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
    for (const path of wire.parts) {
      const part = await fetch(keks.url + path);
      expect(part.status, path).toBe(200);
      expect(part.headers.get('content-type')?.split(';')[0], path).toBe(
        types[path.split('.')[1] ?? ''] ?? 'text/html',
      );
      expect(part.headers.get('cache-control'), path).toBe('no-cache');
      const etag = part.headers.get('etag') ?? '';
      const again = await fetch(keks.url + path, { headers: { 'if-none-match': `W/${etag}` } });
      expect([again.status, await again.text()], path).toEqual([304, '']);
    }
  });

  it('plays the opaque telling to its end: what it shows is what went over the wire', async () => {
    await open({ colorScheme: 'light' });
    await screenshot(page, 'story-desktop-light-start');
    expect(await flaws(page)).toEqual([]);
    await playToTheEnd();
    expect(wire.calls).toEqual([
      'GET /cookies 401',
      'POST /issue 200',
      'GET /cookies 200',
      'POST /validate 200',
      'POST /revoke 200',
      'GET /cookies 401',
    ]);
    expect(await shownStatuses()).toEqual([
      'HTTP/1.1 401 Unauthorized',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 401 Unauthorized',
    ]);
    const text = await page.locator('#scenes').innerText();
    const bodies = await Promise.all(wire.bodies);
    for (const body of bodies) expect(text).toContain(body);
    expect(await scene(1).locator('.matters').allInnerTexts()).toEqual([
      expect.stringMatching(/^Bearer realm="CookieFactory"/),
    ]);
    const { token } = JSON.parse(bodies[1] ?? '') as { token: string };
    expect(await scene(3).innerText()).toContain(`Authorization: Bearer ${token}`);
    expect(await scene(3).innerText()).toContain('["Cookie","Cookie","Cookie"]');
    expect(await scene(3).locator('.message.inside').count()).toBe(2);
    expect(await scene(6).innerText()).toContain('error="invalid_token"');
    expect(await page.getByRole('status').innerText()).toContain('No cookies.');
    expect(await flaws(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await screenshot(page, 'story-desktop-light');
  });

  it('plays the JWT telling: decoded, verified without a request, and revoked all the same', async () => {
    await open({ colorScheme: 'dark' });
    await page.getByRole('radio', { name: 'JWT', exact: true }).check();
    expect(await flaws(page)).toEqual([]);
    await playToTheEnd();
    expect(wire.calls).toEqual([
      'GET /cookies 401',
      'POST /issue 200',
      'GET /.well-known/jwks.json 200',
      'GET /cookies 200',
      'POST /revoke 200',
      'GET /cookies 401',
    ]);
    const decoded = await scene(2).locator('.note').innerText();
    for (const part of ['"alg": "ES256"', '"typ": "at+jwt"', '"client_id": "keks"', '"jti"'])
      expect(decoded).toContain(part);
    for (const number of [4, 8]) {
      expect(await scene(number).locator('.ghost').count()).toBe(1);
      expect(await scene(number).innerText()).toContain('✓ signature fits header and payload');
      expect(await scene(number).innerText()).not.toContain('✗');
    }
    expect(await scene(8).innerText()).toMatch(/would hand out cookies for another \d+ minutes/);
    expect(await flaws(page)).toEqual([]);
    await screenshot(page, 'story-desktop-dark');
  });

  it('plays the telling with a lease: an API that asks nobody refuses the JWT once its revoke is answered', async () => {
    await open({ colorScheme: 'light' });
    await page.getByRole('radio', { name: 'JWT and a lease' }).check();
    expect(await flaws(page)).toEqual([]);
    await playToTheEnd();
    expect(wire.calls).toEqual([
      'POST /issue 200',
      'GET /cookies/by-lease 200',
      'GET /cookies/by-lease/guard 200',
      'POST /revoke 200',
      'GET /cookies/by-lease 401',
      'GET /cookies/by-lease/guard 200',
    ]);
    expect(await scene(2).locator('.ghost').count()).toBe(1);
    expect(await scene(2).innerText()).toContain('["Cookie","Cookie","Cookie"]');
    expect(await scene(3).innerText()).toContain('asked about a token never');
    expect(await scene(5).innerText()).toContain('error="invalid_token"');
    expect(await scene(6).innerText()).toContain('refused from memory once, asked about a token never');
    expect(await flaws(page)).toEqual([]);
    await screenshot(page, 'story-lease-desktop-light');
  });

  it('goes step by step with the keyboard alone, and back to the beginning', async () => {
    await open();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').innerText()).toBe('Skip to the controls');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').getAttribute('id')).toBe('step');
    for (const [number, status] of ['401', '200', '200'].entries()) {
      await page.keyboard.press('Enter');
      await until(async () => !(await isBusy()) && (await shownStatuses()).length === number + 1);
      expect((await shownStatuses()).at(-1)).toContain(status);
      expect(await page.locator('[aria-current="step"] h2').innerText()).toContain(String(number + 1));
    }
    expect(await page.locator(':focus').getAttribute('id')).toBe('step');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await page.locator('.message').count()).toBe(0);
    await until(async () => wire.calls.includes('POST /revoke 200'));
    await page.getByRole('radio', { name: 'Opaque token' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.scene').count()).toBe(8);
  });

  it('pauses where it is asked to, and goes on from there', async () => {
    await open();
    await press('Play');
    await until(async () => (await page.locator('.message').count()) > 0);
    await press('Pause');
    await until(async () => !(await isBusy()));
    const messages = await page.locator('.message').count();
    await page.clock.runFor(20_000);
    expect(await page.locator('.message').count()).toBe(messages);
    expect(wire.calls).toEqual(['GET /cookies 401']);
    await playToTheEnd();
    expect(wire.calls).toHaveLength(6);
  });

  it('says what to do where the demo user does not exist, and goes on as somebody else', async () => {
    await open({ colorScheme: 'dark' });
    let refused = 0;
    await page.route('**/issue', (route, request) => {
      const body = request.postDataJSON() as { user: string };
      if (body.user !== 'CookieDestroyer')
        return route.continue({ postData: { ...body, user: 'CookieDestroyer' } });
      refused += 1;
      return route.continue({ postData: { ...body, password: 'not this one' } });
    });
    await stepTo(2);
    expect(refused).toBe(1);
    expect(await page.locator('#trouble').innerText()).toContain('keks -- user add');
    expect(await flaws(page)).toEqual([]);
    await screenshot(page, 'story-login');
    await page.getByLabel('User').fill('alice');
    await page.getByLabel('Password').fill('U+1F36A');
    await page.keyboard.press('Enter');
    await until(async () => (await page.locator('#play').innerText()) === 'Play again');
    expect(await page.locator('#trouble').isVisible()).toBe(false);
    expect(wire.calls.slice(0, 3)).toEqual(['GET /cookies 401', 'POST /issue 401', 'POST /issue 200']);
    expect(page.url()).toBe(`${keks.url}/`);
    expect(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length')).toBe(
      0,
    );
  });

  it.each([
    ['phone-light', PHONE, 'light'],
    ['phone-dark', PHONE, 'dark'],
    ['phone-320', { width: 320, height: 640 }, 'light'],
  ] as const)('fits a screen: %s', async (name, viewport, colorScheme) => {
    await open({ viewport, colorScheme });
    await page.getByRole('radio', { name: 'JWT', exact: true }).check();
    expect(await overflow(page)).toBe(0);
    await stepTo(4);
    expect(await overflow(page)).toBe(0);
    expect(await flaws(page)).toEqual([]);
    await screenshot(page, `story-${name}`);
  });

  it.each([
    ['desktop-dark', DESKTOP, 'dark'],
    ['phone-light', PHONE, 'light'],
    ['phone-dark', PHONE, 'dark'],
    ['phone-320', { width: 320, height: 640 }, 'light'],
  ] as const)('fits a screen, with a lease: %s', async (name, viewport, colorScheme) => {
    await open({ viewport, colorScheme });
    await page.getByRole('radio', { name: 'JWT and a lease' }).check();
    await screenshot(page, `story-lease-${name}-start`);
    await playToTheEnd();
    expect(await overflow(page)).toBe(0);
    expect(await flaws(page)).toEqual([]);
    await screenshot(page, `story-lease-${name}`);
  });

  it('is dark or light as the system is', async () => {
    const grounds: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      if (grounds.length > 0) await page.context().close();
      await open({ colorScheme });
      grounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    }
    expect(grounds).toEqual(['rgb(251, 247, 240)', 'rgb(23, 19, 15)']);
  });
});
