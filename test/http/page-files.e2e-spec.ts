import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, startTestApp, type TestApp } from '../support/test-app.js';

/** Everything that is in the folder that Swagger UI is served from. */
const FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

describe('pages and what they load', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp();
  });

  afterAll(() => keks.close());

  /** What the HTML names, and what comes with it by name. */
  async function loadedBy(page: string): Promise<string[]> {
    const html = String((await get(keks.url, page)).body);
    return [...html.matchAll(/(?:src|href)="(?:\.\/)?([^":]+)"/g)]
      .map(([, name = '']) => name)
      .filter((name) => /\.\w+$/.test(name));
  }

  it('/docs serves what its page names, and nothing else of that folder', async () => {
    const loaded = (await loadedBy('/docs')).map((name) => name.replace(/^\/?docs\//, ''));
    expect(loaded).toContain('swagger-ui-bundle.js');
    for (const name of loaded)
      expect([name, (await get(keks.url, `/docs/${name}`)).status]).toEqual([name, 200]);
    const returning = ['oauth2-redirect.html', 'oauth2-redirect.js'];
    for (const name of returning) expect((await get(keks.url, `/docs/${name}`)).status).toBe(200);
    const served = [...loaded, ...returning, 'index.html'];
    const others = readdirSync(FOLDER).filter((name) => !served.includes(name));
    expect(others).toEqual(expect.arrayContaining(['package.json', 'swagger-ui-bundle.js.map']));
    for (const name of others)
      for (const path of [name, name.replaceAll('.', '%2e'), `./${name}`, `%2e/${name}`, `x/../${name}`])
        expect([path, (await get(keks.url, `/docs/${path}`)).status]).toEqual([path, 404]);
  });

  it.each([
    ['/', 'same-origin'],
    ['/console', 'same-origin'],
    // windows that they open themselves, in which somebody signs in, tell them how it went
    ['/docs', 'same-origin-allow-popups'],
    ['/docs/', 'same-origin-allow-popups'],
    ['/docs/index.html', 'same-origin-allow-popups'],
  ])('%s shares no window with another site', async (page, isolation) => {
    const answer = await get(keks.url, page);
    expect([answer.status, answer.headers.get('cross-origin-opener-policy')]).toEqual([200, isolation]);
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  });

  it('and answers that are no pages say nothing about windows', async () => {
    for (const path of ['/health/live', '/docs-json', '/cookies'])
      expect((await get(keks.url, path)).headers.get('cross-origin-opener-policy')).toBeNull();
  });
});
