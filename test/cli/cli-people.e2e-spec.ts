import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../support/keks-here.js';
import { addClient, issued, submit } from '../support/oauth.js';
import { environment, get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';
import { answerOf, authorizePath, pkce, Visitor } from '../support/visitor.js';
import { send } from '../support/wire.js';

interface Event {
  readonly type: string;
  readonly actor: string | null;
  readonly grant_id: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface Session {
  readonly id: string;
  readonly label: string | null;
}

let app: TestApp;

const { run, json, refused } = commandLine(() => environment(app.database.url));
const url = (): string => app.url;
const status = async (token: string): Promise<number> => (await post(app.url, '/validate', { token })).status;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

describe('user show', () => {
  it('one user, by name in whatever case and by id, as the list and HTTP show one', async () => {
    await app.addUser('Ann', 'cookies:eat');
    await app.addUser('Root', 'keks:admin');
    const ann = await json<{ id: string }>('user', 'show', 'ann');
    expect(await json<object[]>('user', 'list')).toContainEqual(ann);
    expect(await json('user', 'show', ann.id)).toEqual(ann);
    const root = await app.login('Root', 'keks:admin');
    expect((await get(app.url, `/admin/users/${ann.id}`, root)).body).toEqual(ann);
    const { stdout } = await run('user', 'show', 'Ann');
    expect(stdout).toMatch(/^name +Ann\nid +\S+\nscope +cookies:eat\nstate +enabled\ncreated +\S+Z\n$/);
  });

  it('an id that is the name of somebody else: the name counts', async () => {
    await app.addUser('Twin');
    const { id } = await json<{ id: string }>('user', 'show', 'Twin');
    await app.addUser(id);
    expect(await json('user', 'show', id)).toMatchObject({ name: id });
  });

  it.each([['Nobody'], ['00000000-0000-4000-8000-000000000000'], ['a\u0000b'], ["' OR 1=1"]])(
    '%j: exit 1, not_found',
    async (name) => expect(await refused('user', 'show', name)).toEqual([1, 'not_found']),
  );
});

describe('user reset', () => {
  it('prints a link that sets a password, by name and by id, and says so in the audit log', async () => {
    await app.addUser('Rita');
    const { id } = await json<{ id: string }>('user', 'show', 'Rita');
    for (const [name, password] of [
      ['rita', 'a purple teapot sings to nine calm owls'],
      [id, 'four patient snails carry a green piano'],
    ] as const) {
      const made = await json<{ user: string; link: string; expires_at: string }>('user', 'reset', name);
      expect(made.user).toBe('Rita');
      const [page = '', code = ''] = made.link.split('#');
      expect(page).toBe(`${app.config.ISSUER}/password-reset`);
      const answer = await submit(app.url, '/password-reset', { code, password, again: password });
      expect(answer.status).toBe(200);
      expect((await post(app.url, '/issue', { user: 'Rita', password })).status).toBe(200);
    }
    const events = await json<Event[]>('audit', '--user', 'Rita');
    expect(events.filter(({ type }) => type === 'user.reset_link_made')).toMatchObject([
      { actor: 'operator' },
      { actor: 'operator' },
    ]);
    expect((await run('user', 'reset', 'Rita')).stdout).toMatch(
      /^user +Rita\nlink +\S+#kpr_\S{72}\nuntil +\S+Z\n +It works once/,
    );
  });

  it('exit 1: nobody of this name, and a disabled one', async () => {
    expect(await refused('user', 'reset', 'Nobody')).toEqual([1, 'not_found']);
    await app.addUser('Gone');
    await json('user', 'disable', 'Gone');
    expect(await refused('user', 'reset', 'Gone')).toEqual([1, 'invalid_request']);
  });
});

describe('user set-scope', () => {
  it('scope taken away: what may do more is dead at once, and the audit log says who did it', async () => {
    await app.addUser('Bob', 'cookies:eat cookies:bake');
    const [more, less] = [await app.login('Bob'), await app.login('Bob', 'cookies:eat')];
    const changed = await json('user', 'set-scope', 'bob', 'cookies:eat');
    expect(changed).toEqual({ id: expect.any(String), name: 'Bob', scope: 'cookies:eat' });
    expect([await status(more), await status(less)]).toEqual([401, 200]);
    const [event] = (await json<Event[]>('audit', '--user', 'Bob')).slice(-1);
    expect(event).toMatchObject({
      type: 'user.scope_changed',
      actor: 'operator',
      detail: { user: 'Bob', scope: 'cookies:eat', before: 'cookies:eat cookies:bake' },
    });
  });

  it('scope given: a login lives on, and the next one may do it; "" takes all', async () => {
    await app.addUser('Cleo', 'cookies:eat');
    const before = await app.login('Cleo');
    await json('user', 'set-scope', 'Cleo', 'cookies:eat keks:admin');
    expect(await status(before)).toBe(200);
    expect((await get(app.url, '/admin/users', await app.login('Cleo', 'keks:admin'))).status).toBe(200);
    expect(await json('user', 'set-scope', 'Cleo', '')).toMatchObject({ scope: '' });
    expect(await status(before)).toBe(401);
    const { stdout } = await run('user', 'set-scope', 'Cleo', '');
    expect(stdout).toBe('Cleo may do: nothing. Logins and keys that could do more have ended.\n');
  });

  it.each([
    [['Nobody', 'cookies:eat'], 1, 'not_found'],
    [['Ann', 'a  b'], 1, 'invalid_scope'],
    [['Ann', 'keks:account'], 1, 'invalid_scope'],
    [['Ann', 'offline_access'], 1, 'invalid_scope'],
    [['Ann', 'a', 'b'], 2, 'invalid_request'],
    [['Ann'], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('user', 'set-scope', ...args)).toEqual([code, error]);
  });
});

describe('session', () => {
  it('list: the living logins of one person, and no key', async () => {
    await app.addUser('Dan');
    const token = await app.login('Dan');
    await app.login('Dan');
    await send(app.url, 'POST', '/keys', token, { label: 'night baker', password: PASSWORD });
    const listed = await json<Session[]>('session', 'list', '--user', 'dan');
    const { items } = (await get(app.url, '/sessions', token)).body as { items: Session[] };
    expect(listed.map(({ id, label }) => [id, label])).toEqual(items.map(({ id, label }) => [id, label]));
    expect(listed).toHaveLength(2);
    expect(Object.keys(listed[0] ?? {})).toEqual(
      'id scope label ip user_agent created_at last_used_at expires_at'.split(' '),
    );
    const { stdout } = await run('session', 'list', '--user', 'Dan');
    expect(stdout).toMatch(/^ID +LABEL +IP +SCOPE +CREATED +LAST_USED +EXPIRES\n/);
  });

  it('end: dead at once on the running server, and a second time there is nothing', async () => {
    await app.addUser('Eve');
    const [token, other] = [await app.login('Eve'), await app.login('Eve')];
    const sessions = (await get(app.url, '/sessions', token)).body as {
      items: (Session & { current: boolean })[];
    };
    const id = sessions.items.find(({ current }) => current)?.id ?? '';
    expect(await json('session', 'end', id)).toEqual({ id, ended: true });
    expect([await status(token), await status(other)]).toEqual([401, 200]);
    expect(await refused('session', 'end', id)).toEqual([1, 'not_found']);
    const [event] = (await json<Event[]>('audit', '--grant', id)).slice(-1);
    expect(event).toMatchObject({
      type: 'grant.revoked',
      actor: 'operator',
      detail: { reason: 'revoked_by_operator', kind: 'login' },
    });
  });

  it('end: the id of a key ends nothing', async () => {
    await app.addUser('Fay');
    const token = await app.login('Fay');
    const made = await send(app.url, 'POST', '/keys', token, { label: 'oven', password: PASSWORD });
    const { id, key } = made.body as { id: string; key: string };
    expect(await refused('session', 'end', id)).toEqual([1, 'not_found']);
    expect(await status(key)).toBe(200);
  });

  it.each([
    [['list', '--user', 'Nobody'], 1, 'not_found'],
    [['list'], 2, 'invalid_request'],
    [['end', 'x'], 1, 'not_found'],
    [['end'], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('session', ...args)).toEqual([code, error]);
  });
});

describe('consent', () => {
  const DONE = 'https://app.example/done';
  const addApp = async (name: string): Promise<string> =>
    (
      await json<{ client_id: string }>(
        ...['client', 'add', name, '--public', '--redirect-uri', DONE, '--scope', 'cookies:eat'],
      )
    ).client_id;
  /** @returns the token that the app got */
  const allow = async (user: string, app: string): Promise<string> => {
    const visitor = new Visitor(url());
    const { verifier, challenge } = pkce();
    const path = authorizePath({ client_id: app, redirect_uri: DONE, code_challenge: challenge });
    const page = await visitor.signIn(await visitor.open(path), user);
    const { code = '' } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    const form = { grant_type: 'authorization_code', client_id: app, redirect_uri: DONE };
    const got = await submit(url(), '/oauth/token', { ...form, code, code_verifier: verifier });
    return issued(got).access_token;
  };

  it('list: one item for each app, as the person has it at GET /consents', async () => {
    await app.addUser('Hal');
    const [calendar, radio] = [await addApp('Calendar'), await addApp('Radio')];
    for (const one of [calendar, radio, calendar]) await allow('Hal', one);
    const listed = await json<{ client_id: string }[]>('consent', 'list', '--user', 'hal');
    const { items } = (await get(app.url, '/consents', await app.login('Hal'))).body as { items: object[] };
    expect(listed).toEqual(items);
    expect(listed.map(({ client_id }) => client_id).sort()).toEqual([calendar, radio].sort());
    const { stdout } = await run('consent', 'list', '--user', 'Hal');
    expect(stdout).toMatch(/^CLIENT +NAME +SCOPE +REMEMBERED +CREATED +LAST_USED +EXPIRES\n/);
    expect(stdout).toMatch(/ Calendar +cookies:eat /);
  });

  it('end: all that the app got of this person is dead at once, and nobody else’s', async () => {
    for (const name of ['Ida', 'Jon']) await app.addUser(name);
    const calendar = await addApp('Calendar');
    const radio = await addApp('Radio');
    const [first, second] = [await allow('Ida', calendar), await allow('Ida', calendar)];
    const untouched = [await allow('Ida', radio), await allow('Jon', calendar)];
    expect(await json('consent', 'end', calendar, '--user', 'ida')).toEqual({
      client_id: calendar,
      ended: true,
    });
    const all = [first, second, ...untouched];
    expect(await Promise.all(all.map(status))).toEqual([401, 401, 200, 200]);
    expect(await refused('consent', 'end', calendar, '--user', 'Ida')).toEqual([1, 'not_found']);
    const ended = await json<Event[]>('audit', '--type', 'grant.revoked');
    const events = ended.filter(({ detail }) => detail['reason'] === 'consent_ended');
    expect(events).toHaveLength(2);
    for (const event of events)
      expect(event).toMatchObject({
        actor: 'operator',
        detail: { reason: 'consent_ended', kind: 'consent' },
      });
  });

  it.each([
    [['list', '--user', 'Nobody'], 1, 'not_found'],
    [['list'], 2, 'invalid_request'],
    [['end', 'c-none', '--user', 'Nobody'], 1, 'not_found'],
    [['end', 'a b', '--user', 'Ann'], 1, 'not_found'],
    [['end', 'c-none'], 2, 'invalid_request'],
    [['end', '--user', 'Ann'], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('consent', ...args)).toEqual([code, error]);
  });
});

describe('client show', () => {
  it('as the list has it, with its secrets, of which none is shown', async () => {
    const { clientId, clientSecret } = await addClient(app);
    await json('client', 'rotate-secret', clientId);
    const shown = await json<{ secrets: object[] }>('client', 'show', clientId);
    const { secrets, ...rest } = shown;
    expect(await json<object[]>('client', 'list')).toContainEqual(rest);
    expect(secrets).toHaveLength(2);
    await app.addUser('Gus', 'keks:admin');
    const gus = await app.login('Gus', 'keks:admin');
    expect((await get(app.url, `/admin/clients/${clientId}`, gus)).body).toEqual(shown);
    const { stdout } = await run('client', 'show', clientId);
    expect(stdout.match(/^secret of /gm)).toHaveLength(2);
    expect(stdout + JSON.stringify(shown)).not.toContain(clientSecret);
  });

  it.each([
    [['c-none'], 1, 'not_found'],
    [[], 2, 'invalid_request'],
  ])('%j: exit %d, %s', async (args, code, error) => {
    expect(await refused('client', 'show', ...args)).toEqual([code, error]);
  });
});
