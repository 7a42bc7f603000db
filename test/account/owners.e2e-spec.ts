import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationsOf, type Operation } from '../fuzz/document.js';
import { addClient, stayLoggedIn, submit } from '../support/oauth.js';
import {
  get,
  PASSWORD,
  post,
  request,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

/**
 * Whatever has an owner, asked for by somebody else who is logged in with all that a person can have: as if it were not there, and
 * it stays as it is. Each operation of the document with a name in its path is here, or is for administrators.
 */
describe('what belongs to somebody else', () => {
  let keks: TestApp;
  let operations: Operation[];
  let eve = '';
  /** Of Ann, by the path in which it can be named. */
  const anns: Record<string, { readonly name: string; readonly isThere: () => Promise<boolean> }> = {};

  beforeAll(async () => {
    keks = await startTestApp({ LOG_LEVEL: 'error' });
    for (const name of ['Ann', 'Eve']) await keks.addUser(name);
    operations = await operationsOf(keks.url);
    eve = await keks.login('Eve');
    const ann = await keks.login('Ann');
    const as = { authorization: `Bearer ${ann}` };
    const { client } = keks.database;
    const { body } = await post(keks.url, '/keys', { label: 'x', password: PASSWORD }, as);
    const { id: key, key: text } = body as { id: string; key: string };
    anns['/keys/{id}'] = { name: key, isThere: () => opens(text) };
    const { items } = (await get(keks.url, '/sessions', ann)).body as { items: { id: string }[] };
    anns['/sessions/{id}'] = { name: items[0]?.id ?? '', isThere: () => opens(ann) };
    const { clientId } = await addClient(keks);
    await client.query(
      `INSERT INTO grants (kind, user_id, client_id, epoch, scope, expires_at)
       SELECT 'consent', id, $1, epoch, 'cookies:eat', now() + interval '1 day' FROM users WHERE name = 'Ann'`,
      [clientId],
    );
    anns['/consents/{client_id}'] = {
      name: clientId,
      isThere: async () => {
        const kept = `SELECT FROM grants WHERE client_id = $1 AND kind = 'consent' AND revoked_at IS NULL`;
        return (await client.query(kept, [clientId])).rowCount === 1;
      },
    };
  });

  afterAll(() => keks.close());

  const opens = async (token: string): Promise<boolean> =>
    (await get(keks.url, '/cookies', token)).status === 200;

  const asEve = (method: string, path: string, body?: object): Promise<Answer> =>
    request(keks.url, path, {
      method,
      headers: { authorization: `Bearer ${eve}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });

  it('404 for each thing that has a name in the path, and it is still there', async () => {
    const named = operations.filter(({ path }) => path.includes('{') && !path.startsWith('/admin/'));
    expect(named.map(({ path }) => path).sort()).toEqual(Object.keys(anns).sort());
    for (const { method, path } of named) {
      const { name, isThere } = anns[path]!;
      const answer = await asEve(method, path.replace(/\{\w+\}/, encodeURIComponent(name)));
      expect([path, answer.status, await isThere()]).toEqual([path, 404, true]);
    }
  });

  it('403 for everything that is for administrators, whatever is named', async () => {
    const forAdmins = operations.filter(({ path }) => path.startsWith('/admin/'));
    expect(forAdmins.length).toBeGreaterThan(15);
    for (const { method, path, body } of forAdmins) {
      const name = anns['/sessions/{id}']?.name ?? '';
      const answer = await asEve(method, path.replaceAll(/\{\w+\}/g, name), body && {});
      expect([`${method} ${path}`, answer.status]).toEqual([`${method} ${path}`, 403]);
    }
  });

  it('no list shows it, and no cursor of another one’s list is good', async () => {
    for (const path of ['/keys', '/sessions', '/consents']) {
      const { body } = await asEve('GET', path);
      expect(JSON.stringify(body)).not.toMatch(
        new RegExp(
          Object.values(anns)
            .map(({ name }) => name)
            .join('|'),
        ),
      );
    }
    await keks.login('Ann');
    const { body } = await get(keks.url, '/sessions?limit=1', await keks.login('Ann'));
    const { next } = body as { next: string };
    expect((await asEve('GET', `/sessions?cursor=${next}`)).status).toBe(400);
  });

  it('a refresh token is good for whoever it was made for, and a client’s for nobody else', async () => {
    const { refresh_token: token } = await stayLoggedIn(keks, 'Ann');
    const stranger = await addClient(keks);
    const as = { client_id: stranger.clientId, client_secret: stranger.clientSecret };
    const fields = { grant_type: 'refresh_token', refresh_token: token };
    expect((await submit(keks.url, '/oauth/token', { ...fields, ...as })).status).toBe(400);
    expect((await submit(keks.url, '/oauth/revoke', { token, ...as })).status).toBe(400);
    const seen = await submit(keks.url, '/oauth/introspect', { token, ...as });
    expect(seen.body).toEqual({ active: false });
    expect((await submit(keks.url, '/oauth/token', fields)).status).toBe(200);
  });
});
