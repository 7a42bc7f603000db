import { addClient, basic, stayLoggedIn, type TestClient } from '../support/oauth.js';
import { PASSWORD, post, request, type TestApp } from '../support/test-app.js';
import type { Caller } from './attempt.js';
import { Placeholder } from './values.js';

const KEEP = 30;
const FOR_PEOPLE = /^\/oauth\/(?:device_authorization|par)$/;
const NAMES = ['Ann', 'Bob', 'Eve'] as const;
const SCOPE = 'cookies:eat cookies:bake keks:metrics';

/** What there is to ask with and about: users, a client, and whatever answers have brought. */
export class Pool {
  private readonly things = new Map<string, unknown[]>();
  private readonly tokens = new Map<Caller, string>();
  private fresh = 0;
  private registered = { client_id: '', registration_access_token: '' };

  private constructor(
    private readonly keks: TestApp,
    private readonly client: TestClient,
    /** One that acts for people. */
    private readonly app: TestClient,
    private readonly hash: string,
  ) {}

  static async fill(keks: TestApp): Promise<Pool> {
    for (const name of NAMES) await keks.addUser(name, SCOPE);
    await keks.addUser('Root', `${SCOPE} keks:admin`);
    const { rows } = await keks.database.client.query<{ password_hash: string }>(
      'SELECT password_hash FROM users',
    );
    const pool = new Pool(
      keks,
      await addClient(keks, { audience: [keks.config.AUDIENCE] }),
      await addClient(keks, { deviceGrant: true, redirectUris: ['https://app.example/done'] }),
      rows[0]?.password_hash ?? '',
    );
    pool.keep('client_id', pool.client.clientId);
    pool.keep('client_secret', pool.client.clientSecret);
    return pool;
  }

  /** Everything in an answer that can be asked about later. */
  harvest(body: unknown): void {
    if (Array.isArray(body)) body.forEach((one) => this.harvest(one));
    if (typeof body !== 'object' || body === null) return;
    for (const [name, value] of Object.entries(body)) {
      if (typeof value === 'object') this.harvest(value);
      else if (/^(?:id|secret_id|grant_id|user_id|token_id)$/.test(name)) this.keep('id', value);
      else if (/^(?:token|access_token|key)$/.test(name)) this.keep('token', value);
      else if (/^(?:refresh_token|client_id|client_secret|next)$/.test(name)) this.keep(name, value);
    }
  }

  /** What can stand in a path such as `/keys/{id}`, by the names in it: something that is there, and this caller's own. */
  async subjectOf(path: string, authorization = ''): Promise<Readonly<Record<string, string>>> {
    const { url } = this.keks;
    const headers = { authorization };
    const idOf = (body: unknown): string => (body as { id?: string }).id ?? '';
    if (path.startsWith('/oauth/register/')) return { client_id: this.registered.client_id };
    if (path.startsWith('/admin/initial-access-tokens/'))
      return { id: idOf((await post(url, '/admin/initial-access-tokens', { label: 'x' }, headers)).body) };
    if (path.startsWith('/keys/')) {
      return { id: idOf((await post(url, '/keys', { label: 'oven', password: PASSWORD }, headers)).body) };
    }
    if (path.startsWith('/sessions/')) {
      const { items = [] } = (await request(url, '/sessions', { headers })).body as { items?: object[] };
      return { id: idOf(items.find((one) => 'current' in one && one.current === true) ?? {}) };
    }
    const { client } = this.keks.database;
    if (path.startsWith('/admin/receivers/')) {
      const { rows } = await client.query<{ id: string }>(
        `INSERT INTO receivers (name, url, audience) VALUES ('fuzzed', 'https://receiver.example/', 'x')
         ON CONFLICT (name) DO UPDATE SET url = excluded.url RETURNING id`,
      );
      return { id: idOf(rows[0]) };
    }
    if (path.startsWith('/admin/scopes/')) {
      const scope = 'cookies:eat';
      await client.query(
        'INSERT INTO scope_descriptions (scope, description) VALUES ($1, $1) ON CONFLICT DO NOTHING',
        [scope],
      );
      return { scope };
    }
    if (path.startsWith('/consents/')) {
      const { clientId } = this.client;
      await client.query(
        `INSERT INTO grants (kind, user_id, client_id, epoch, scope, expires_at)
         SELECT 'consent', id, $1, epoch, 'cookies:eat', now() + interval '1 day' FROM users WHERE name = 'Ann'`,
        [clientId],
      );
      return { client_id: clientId };
    }
    const from = path.startsWith('/admin/users/') ? "users WHERE name = 'Bob'" : 'grants';
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${from} ORDER BY created_at DESC LIMIT 1`,
    );
    if (!path.startsWith('/admin/clients/')) return { id: rows[0]?.id ?? '' };
    const id = this.client.clientId;
    if (!path.includes('{secret_id}')) return { id };
    const { body } = await post(url, `/admin/clients/${id}/secrets`, undefined, headers);
    return { id, secret_id: (body as { secret_id?: string }).secret_id ?? '' };
  }

  /** The same value with real things in place of the placeholders. */
  filled(value: unknown): unknown {
    if (value instanceof Placeholder) return this.thing(value);
    if (Array.isArray(value)) return value.map((one) => this.filled(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.filled(one)]));
  }

  /** The header that a caller authenticates with, if any. Tokens that have died are made anew. */
  async authorization(caller: Caller, path = ''): Promise<string | undefined> {
    if (caller === 'nobody') return undefined;
    if (caller === 'registered client') return this.newlyRegistered();
    if (caller === 'client') return basic(FOR_PEOPLE.test(path) ? this.app : this.client).authorization;
    if (caller === 'garbage') return 'Bearer kat_0123456789.~+/==';
    let token = this.tokens.get(caller);
    if (token === undefined) this.tokens.set(caller, (token = await this.tokenOf(caller)));
    return `Bearer ${token}`;
  }

  /** One a request: the one before may have taken itself away. */
  private async newlyRegistered(): Promise<string> {
    const body = { redirect_uris: ['http://127.0.0.1/done'], token_endpoint_auth_method: 'none' };
    this.registered = (await post(this.keks.url, '/oauth/register', body)).body as typeof this.registered;
    return `Bearer ${this.registered.registration_access_token}`;
  }

  /** After something has changed nobody knows who may still log in. */
  async restore(): Promise<void> {
    this.tokens.clear();
    const { client } = this.keks.database;
    await client.query(
      `UPDATE users SET password_hash = $1, disabled_at = NULL,
              scope = CASE name WHEN 'Root' THEN $2 || ' keks:admin' ELSE $2 END WHERE name = ANY ($3)`,
      [this.hash, SCOPE, [...NAMES, 'Root']],
    );
    await client.query('UPDATE clients SET disabled_at = NULL, scope = $1 WHERE client_id = $2', [
      SCOPE,
      this.client.clientId,
    ]);
  }

  private async tokenOf(caller: Caller): Promise<string> {
    const { keks } = this;
    if (caller === 'admin') return keks.login('Root');
    if (caller === 'refresh token') return (await stayLoggedIn(keks, 'Ann')).refresh_token;
    const token = await keks.login('Ann');
    if (caller === 'revoked') await post(keks.url, '/revoke', { token });
    if (caller !== 'api key') return token;
    const { body } = await post(
      keks.url,
      '/keys',
      { label: 'oven', password: PASSWORD },
      { authorization: `Bearer ${token}` },
    );
    return (body as { key: string }).key;
  }

  private keep(kind: string, value: unknown): void {
    if (value === null) return;
    const known = this.things.get(kind) ?? [];
    known.push(value);
    // the oldest go, but for the first: the client of the test itself
    if (known.length > KEEP) known.splice(1, 1);
    this.things.set(kind, known);
  }

  private thing({ kind, nth }: Placeholder): unknown {
    if (kind === 'user') return NAMES[nth % NAMES.length];
    if (kind === 'password') return PASSWORD;
    if (kind === 'new password') return `${PASSWORD} ${nth}`;
    if (kind === 'registered client') return this.registered.client_id;
    if (kind === 'new name') return `Somebody ${(this.fresh += 1)}`;
    const known = this.things.get(kind) ?? [];
    return known[nth % Math.max(1, known.length)] ?? 'nothing yet';
  }
}
