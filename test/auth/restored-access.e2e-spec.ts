import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeySchedule } from '../../src/auth/keys/key-schedule.js';
import { headerOf } from '../support/forge.js';
import { commandLine, keksHere } from '../support/keks-here.js';
import { addClient, basic, submit, type TestClient } from '../support/oauth.js';
import {
  environment,
  get,
  PASSWORD,
  post,
  startTestApp,
  type Answer,
  type TestApp,
} from '../support/test-app.js';

const NEW_PASSWORD = 'eleven green gingerbreads above a red sun';

interface Report {
  readonly before: string;
  readonly dry_run: boolean;
  readonly revoked: number;
  readonly found: Record<string, number>;
  readonly ended: Record<string, number>;
  readonly kept: string[];
  readonly users: { name: string; scope: string }[];
  readonly clients: { client_id: string; name: string; scope: string }[];
}

/** As a database is after its backup was restored: nobody knows what had been ended since. */
describe('keks revoke-all --before, beside grants', { timeout: 60_000 }, () => {
  let keks: TestApp;
  let client: TestClient;
  let jwt: string;

  const cli = commandLine(() => environment(keks.database.url), 'revoke-all');
  const login = (user: string, password = PASSWORD, more: object = {}): Promise<Answer> =>
    post(keks.url, '/issue', { user, password, ...more });
  const statusOf = async (user: string, password?: string): Promise<number> =>
    (await login(user, password)).status;
  const clientStatus = async (secret: TestClient): Promise<number> =>
    (await submit(keks.url, '/oauth/token', { grant_type: 'client_credentials' }, basic(secret))).status;
  const published = async (): Promise<unknown[]> => {
    await keks.app.get(KeySchedule, { strict: false }).run();
    const { body } = await get(keks.url, '/.well-known/jwks.json');
    return (body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const audited = async (type: string): Promise<number> => {
    const { rows } = await keks.database.client.query('SELECT FROM audit_events WHERE type = $1', [type]);
    return rows.length;
  };

  beforeEach(async () => {
    keks = await startTestApp();
    await keks.addUser('Root', 'keks:admin');
    await keks.addUser('Ann');
    client = await addClient(keks, { scope: ['cookies:eat'] });
    jwt = ((await login('Ann', PASSWORD, { format: 'jwt' })).body as { token: string }).token;
  });

  afterEach(() => keks.close());

  it('ends client secrets, passwords and signing keys, and says whom to look at', async () => {
    const report = await cli.json<Report>('--before', 'now');
    expect(report).toMatchObject({
      dry_run: false,
      revoked: 1,
      ended: { grants: 1, passwords: 2, client_secrets: 1, signing_keys: 1 },
      kept: [],
      users: [
        { name: 'Ann', scope: 'cookies:eat' },
        { name: 'Root', scope: 'keks:admin' },
      ],
      clients: [{ client_id: client.clientId, name: 'oven', scope: 'cookies:eat' }],
    });
    expect([await statusOf('Ann'), await statusOf('Root'), await clientStatus(client)]).toEqual([
      401, 401, 401,
    ]);
    expect((await get(keks.url, '/cookies', jwt)).status).toBe(401);
    const kids = await published();
    expect(kids).toHaveLength(1);
    expect(kids).not.toContain(headerOf(jwt)['kid']);
    const events = ['user.password_ended', 'client.secret_retired', 'key.replaced'];
    const counts: number[] = [];
    for (const type of events) counts.push(await audited(type));
    expect(counts).toEqual([2, 1, 1]);
  });

  it('the operator gets back in, and so does whom he lets', async () => {
    await cli.json<Report>('--before', 'now');
    const words = ['user', 'passwd', 'Root', '--password-stdin', '--json'];
    const { code } = await keksHere(environment(keks.database.url), words, { input: NEW_PASSWORD });
    expect(code).toBe(0);
    expect(await statusOf('Root', NEW_PASSWORD)).toBe(200);
    expect([await statusOf('Root'), await statusOf('Ann', NEW_PASSWORD)]).toEqual([401, 401]);
    const secrets = commandLine(() => environment(keks.database.url), 'client', 'rotate-secret');
    const { client_secret: clientSecret } = await secrets.json<{ client_secret: string }>(client.clientId);
    expect(await clientStatus({ ...client, clientSecret })).toBe(200);
  });

  it('repeated with the same time, ends nothing that is younger', async () => {
    const { before } = await cli.json<Report>('--before', 'now');
    const words = ['user', 'passwd', 'Ann', '--password-stdin', '--json'];
    await keksHere(environment(keks.database.url), words, { input: NEW_PASSWORD });
    const kids = await published();
    const younger = await addClient(keks, { scope: ['cookies:eat'] });
    const token = ((await login('Ann', NEW_PASSWORD, { format: 'jwt' })).body as { token: string }).token;

    const again = await cli.json<Report>('--before', before);
    expect(again.ended).toEqual({ grants: 0, passwords: 0, client_secrets: 0, signing_keys: 0 });
    expect([await statusOf('Ann', NEW_PASSWORD), await clientStatus(younger)]).toEqual([200, 200]);
    expect((await get(keks.url, '/cookies', token)).status).toBe(200);
    expect(await published()).toEqual(kids);
    expect(await audited('user.password_ended')).toBe(2);
  });

  it('goes on where it was interrupted', async () => {
    await keks.database.client.query(
      `INSERT INTO users (name, name_folded, password_hash, scope)
       SELECT 'u' || n, 'u' || n, (SELECT password_hash FROM users WHERE name = 'Ann'), '' FROM generate_series(1, 2500) n`,
    );
    await keks.database.client.query(
      `INSERT INTO client_secrets (client_id, digest) SELECT $1, sha256(n::text::bytea) FROM generate_series(1, 2500) n`,
      [client.clientId],
    );
    const before = new Date().toISOString();
    await keks.database.client.query(
      `DELETE FROM client_secrets WHERE id < '80000000-0000-0000-0000-000000000000'`,
    );
    const { ended } = await cli.json<Report>('--before', before);
    expect(ended['passwords']).toBe(2502);
    const { rows } = await keks.database.client.query('SELECT FROM client_secrets');
    expect(rows).toHaveLength(0);
    expect([await statusOf('u1'), await statusOf('u2500')]).toEqual([401, 401]);
  });

  it.each([
    ['--keep-passwords', 'passwords', [200, 401]],
    ['--keep-secrets', 'client_secrets', [401, 200]],
    ['--keep-signing-keys', 'signing_keys', [401, 401]],
  ])('%s leaves them', async (flag, kept, [user, secret]) => {
    const report = await cli.json<Report>('--before', 'now', flag);
    expect([report.kept, report.ended[kept]]).toEqual([[kept], 0]);
    expect([await statusOf('Ann'), await clientStatus(client)]).toEqual([user, secret]);
    expect((await published()).includes(headerOf(jwt)['kid'])).toBe(kept === 'signing_keys');
    // a grant is a grant, whatever is kept
    expect((await get(keks.url, '/cookies', jwt)).status).toBe(401);
  });

  it('--dry-run lists and changes nothing', async () => {
    const report = await cli.json<Report>('--before', 'now', '--dry-run');
    expect(report).toMatchObject({
      dry_run: true,
      found: { grants: 1, passwords: 2, client_secrets: 1, signing_keys: 1 },
      ended: { grants: 0, passwords: 0, client_secrets: 0, signing_keys: 0 },
    });
    expect(report.users).toHaveLength(2);
    const { stdout } = await cli.run('--before', 'now', '--dry-run');
    expect(stdout).toContain('user Root (keks:admin)');
    expect([await statusOf('Ann'), await clientStatus(client)]).toEqual([200, 200]);
    expect((await get(keks.url, '/cookies', jwt)).status).toBe(200);
  });

  it('says what is next to do, and what it does not know', async () => {
    const { code, stdout, stderr } = await cli.run('--before', 'now');
    expect([code, stderr]).toEqual([0, '']);
    for (const line of [
      'keks user passwd NAME',
      'keks client rotate-secret',
      'had been disabled since',
      'user Root',
    ])
      expect(stdout).toContain(line);
  });

  it('takes "now" from the clock of the database, not from this machine’s', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    try {
      const { before, ended } = await cli.json<Report>('--before', 'now');
      vi.useRealTimers();
      expect(Math.abs(new Date(before).getTime() - Date.now())).toBeLessThan(60_000);
      expect(ended['grants']).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps a hash that no password has out of the count of what needs a key', async () => {
    await cli.json<Report>('--before', 'now');
    const keys = commandLine(() => environment(keks.database.url), 'key', 'list', '--secrets');
    const [making] = await keys.json<{ here: string; needed_by: object }[]>();
    expect(making).toMatchObject({ here: 'makes' });
    expect(making?.needed_by).not.toHaveProperty('passwords');
  });
});
