import { addClient, basic, refresh, stayLoggedIn, submit, type TestClient } from './oauth.js';
import { get, PASSWORD, post, request, type Answer, type TestApp } from './test-app.js';

/** An answer, and how long it took: milliseconds. */
export interface Timed extends Answer {
  readonly name: string;
  readonly ms: number;
}

export type Ask = () => Promise<Answer>;

/** Everything of a server that needs the database, with what it takes to ask for it. */
export class Questions {
  private constructor(
    private readonly keks: TestApp,
    private readonly client: TestClient,
    readonly token: string,
    private readonly jwt: string,
    private readonly key: string,
  ) {}

  static async prepare(keks: TestApp): Promise<Questions> {
    await keks.addUser('Ann', 'cookies:eat keks:admin');
    await keks.addUser('Bob');
    const token = await keks.login('Ann');
    const bearer = { authorization: `Bearer ${token}` };
    const jwt = await post(keks.url, '/issue', { user: 'Ann', password: PASSWORD, format: 'jwt' });
    const key = await post(
      keks.url,
      '/keys',
      { label: 'oven', password: PASSWORD, scope: 'cookies:eat' },
      bearer,
    );
    return new Questions(
      keks,
      await addClient(keks),
      token,
      (jwt.body as { token: string }).token,
      (key.body as { key: string }).key,
    );
  }

  /** By the guard, for a token that lives. */
  readonly eat: Ask = () => get(this.keks.url, '/cookies', this.token);

  /** Each with tokens of its own, so that all of them succeed when nothing is wrong. */
  async all(): Promise<Readonly<Record<string, Ask>>> {
    const { keks, client, token } = this;
    const { url } = keks;
    const login = { user: 'Ann', password: PASSWORD };
    const [one, two] = [await keks.login('Ann'), await keks.login('Bob')];
    const stay = await stayLoggedIn(keks, 'Ann');
    const issued = await submit(url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client));
    const { access_token } = issued.body as { access_token: string };
    return {
      'guard, opaque': this.eat,
      'guard, JWT': () => get(url, '/cookies', this.jwt),
      'guard, API key': () => get(url, '/cookies', this.key),
      validate: () => post(url, '/validate', { token }),
      introspect: () => submit(url, '/oauth/introspect', { token: access_token }, basic(client)),
      login: () => post(url, '/issue', login),
      'login as a JWT': () => post(url, '/issue', { ...login, format: 'jwt' }),
      'issue to a client': () =>
        submit(url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client)),
      refresh: () => refresh(keks, stay.refresh_token),
      revoke: () => post(url, '/revoke', { token: one }),
      'revoke by a client': () => submit(url, '/oauth/revoke', { token: access_token }, basic(client)),
      sessions: () => get(url, '/sessions', token),
      'end of all sessions': () =>
        request(url, '/sessions', { method: 'DELETE', headers: { authorization: `Bearer ${two}` } }),
      'new key': () =>
        post(url, '/keys', { label: 'oven', password: PASSWORD }, { authorization: `Bearer ${token}` }),
      audit: () => get(url, '/admin/audit', token),
      ready: () => get(url, '/health/ready'),
    };
  }
}

export async function timed(name: string, ask: Ask): Promise<Timed> {
  const began = performance.now();
  const answer = await ask();
  return { ...answer, name, ms: performance.now() - began };
}
