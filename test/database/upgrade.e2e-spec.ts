import { Client } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPATIBLE_FROM, migrations } from '../../migrations/index.js';
import { Maintenance } from '../../src/database/schema/maintenance.js';
import { DatabaseRefusal } from '../../src/database/database-refusal.js';
import { migrate } from '../../src/database/schema/migrator.js';
import { connectionOf } from '../../src/database/pools.js';
import { markCompatible } from '../../src/database/schema/schema-compatibility.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { migrateWith } from '../support/migrate-with.js';
import {
  addClient,
  basic,
  refresh,
  stayLoggedIn,
  submit,
  type Login,
  type TestClient,
} from '../support/oauth.js';
import { get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

/** As a later version may add things: nothing that is there is taken away or becomes stricter. */
class Devices9000000000000 implements MigrationInterface {
  readonly name = 'Devices9000000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE devices (id uuid PRIMARY KEY, owner uuid, seen_at timestamptz NOT NULL DEFAULT now());
      ALTER TABLE users ADD COLUMN nickname text;
      ALTER TABLE clients ADD COLUMN homepage text;
      ALTER TABLE grants ADD COLUMN device_id uuid;
      ALTER TABLE access_tokens ADD COLUMN device_id uuid, ADD COLUMN proof bytea;
      ALTER TABLE refresh_tokens ADD COLUMN device_id uuid;
      ALTER TABLE api_keys ADD COLUMN device_id uuid;
      ALTER TABLE audit_events ADD COLUMN device_id uuid;
      CREATE INDEX grants_by_device ON grants (device_id) WHERE device_id IS NOT NULL;`);
  }

  async down(): Promise<void> {
    throw new Error('not needed');
  }
}

/** And how it may take something away, once no running version needs it. */
class NoNicknames9000000000001 implements MigrationInterface {
  readonly name = 'NoNicknames9000000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN nickname');
  }

  async down(): Promise<void> {
    throw new Error('not needed');
  }
}

describe('this version beside the next one', () => {
  let database: TestDatabase;
  let old: TestApp;
  let token: string;
  let stay: Login;
  let client: TestClient;

  beforeAll(async () => {
    database = await createDatabase();
    old = await startTestApp({}, { ...database, close: async () => undefined });
    await old.addUser('Ann');
    client = await addClient(old);
    token = await old.login('Ann');
    stay = await stayLoggedIn(old, 'Ann');
    // every statement has been prepared on the schema as it was
    await expectWork(old);
    await upgrade(Devices9000000000000);
  });

  afterAll(async () => {
    await old.close();
    await database.close();
  });

  /** What the next version does at its start. */
  async function upgrade(...later: (new () => MigrationInterface)[]): Promise<void> {
    const done = await migrateWith(database, [...migrations, ...later]);
    expect(done).toEqual(later.slice(-1).map(({ name }) => name));
  }

  async function expectWork({ url, login }: TestApp): Promise<void> {
    const mine = await login('Ann');
    expect((await get(url, '/cookies', mine)).status).toBe(200);
    const key = await post(
      url,
      '/keys',
      { label: 'oven', password: PASSWORD },
      { authorization: `Bearer ${mine}` },
    );
    expect(key.status).toBe(201);
    expect((await get(url, '/cookies', (key.body as { key: string }).key)).status).toBe(200);
    const jwt = await post(url, '/issue', {
      user: 'Ann',
      password: PASSWORD,
      format: 'jwt',
    });
    expect((await get(url, '/cookies', (jwt.body as { token: string }).token)).status).toBe(200);
    const own = await submit(url, '/oauth/token', { grant_type: 'client_credentials' }, basic(client));
    const { access_token } = own.body as { access_token: string };
    const told = await submit(url, '/oauth/introspect', { token: access_token }, basic(client));
    expect(told.body).toMatchObject({ active: true });
    expect((await get(url, '/sessions', mine)).status).toBe(200);
    const fresh = await stayLoggedIn({ url }, 'Ann');
    expect((await refresh({ url }, fresh.refresh_token)).status).toBe(200);
    expect((await post(url, '/revoke', { token: mine })).status).toBe(200);
    expect((await get(url, '/cookies', mine)).status).toBe(401);
  }

  it('goes on while the next one migrates: issues, checks, refreshes, revokes, lists', async () => {
    await expectWork(old);
    expect((await get(old.url, '/cookies', token)).status).toBe(200);
    expect((await refresh(old, stay.refresh_token)).status).toBe(200);
  });

  it('makes and drops partitions there', async () => {
    old.clock.advance(3 * 86_400);
    await old.app.get(Maintenance).run();
    await expectWork(old);
    old.clock.advance(-3 * 86_400);
  });

  it('starts there, too: going back needs no backup', async () => {
    expect(await migrate(connectionOf(database.url))).toEqual([]);
    const again = await startTestApp({}, { ...database, close: async () => undefined });
    await expectWork(again);
    expect((await post(again.url, '/revoke', { token })).status).toBe(200);
    expect((await get(old.url, '/cookies', token)).status).toBe(401);
    await again.close();
  });

  it('starts no more once something has gone that it may need, and says so', async () => {
    await markCompatible(database.client as Client, 9_000_000_000_000);
    await upgrade(Devices9000000000000, NoNicknames9000000000001);
    await expect(migrate(connectionOf(database.url))).rejects.toThrow(DatabaseRefusal);
    await expect(migrate(connectionOf(database.url))).rejects.toThrow(/newer than this program/);
  });
});

describe('the mark', () => {
  it('names a migration, and none that this program does not have', () => {
    const known = migrations.map((migration) => Number(new migration().name.slice(-13)));
    expect(known).toContain(COMPATIBLE_FROM);
  });

  it('is there after the first migration, and is nothing that an injection could use', async () => {
    const { url, client, close } = await createDatabase({ empty: true });
    await migrate(connectionOf(url));
    const { rows } = await client.query<{ mark: string }>(
      `SELECT obj_description('migrations'::regclass, 'pg_class') AS mark`,
    );
    expect(rows).toEqual([{ mark: `compatible_from=${COMPATIBLE_FROM}` }]);
    await expect(markCompatible(client as Client, Number.NaN)).rejects.toThrow(TypeError);
    await close();
  });
});
