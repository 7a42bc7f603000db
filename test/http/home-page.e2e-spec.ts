import { afterEach, describe, expect, it } from 'vitest';
import { get, request, startTestApp, type TestApp } from '../support/test-app.js';

interface OpenApi {
  readonly paths: Readonly<Record<string, object>>;
}

describe('HOME_PAGE', () => {
  let keks: TestApp;

  afterEach(() => keks.close());

  const home = (method = 'GET'): Promise<Response> => fetch(`${keks.url}/`, { method, redirect: 'manual' });
  const documented = async (): Promise<string[]> =>
    Object.keys(((await get(keks.url, '/docs-json')).body as OpenApi).paths);
  const console = async (): Promise<string> => String((await get(keks.url, '/console')).body);

  /** What the page of the console loads, each with its status. */
  async function loaded(): Promise<Set<number>> {
    const names = [...(await console()).matchAll(/(?:src|href)="([\w-]+\.\w+)"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    const answers = await Promise.all(names.map((name) => get(keks.url, `/${name}`)));
    return new Set(answers.map(({ status }) => status));
  }

  it('story, if nothing else is said', async () => {
    keks = await startTestApp();
    const page = await (await home()).text();
    expect(page).toContain('story.js');
    // without the API whose guard holds a lease nobody is offered its story
    expect(page).not.toContain('value="lease"');
    expect(await documented()).toContain('/');
    expect(await console()).toContain('>The story</a>');
    expect(await loaded()).toEqual(new Set([200]));
  });

  it('none: GET / is answered as any unknown path is, and nothing leads there', async () => {
    keks = await startTestApp({ HOME_PAGE: 'none' });
    const [root, unknown] = [await get(keks.url, '/'), await get(keks.url, '/no/such/thing')];
    expect([root.status, root.body]).toEqual([404, unknown.body]);
    expect([(await home('HEAD')).status, (await request(keks.url, '/', { method: 'POST' })).status]).toEqual([
      404, 404,
    ]);
    expect((await get(keks.url, '/story.js')).status).toBe(404);
    expect(await documented()).not.toContain('/');
    expect(await console()).not.toContain('The story');
    expect(await loaded()).toEqual(new Set([200]));
  });

  it('console: GET / leads there, from wherever a proxy serves it', async () => {
    keks = await startTestApp({ HOME_PAGE: 'console' });
    const answer = await home();
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'console']);
    expect((await home('HEAD')).status).toBe(302);
    expect(await (await fetch(`${keks.url}/`)).text()).toBe(await console());
    expect(await console()).not.toContain('The story');
    expect(await loaded()).toEqual(new Set([200]));
  });
});
