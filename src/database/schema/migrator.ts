import type pg from 'pg';
import { migrations } from '../../../migrations/index.js';
import { DatabaseRefusal } from '../database-refusal.js';
import { openClient, PinnedClient } from '../pinned-client.js';
import { MIGRATING, watched } from './migration-watch.js';
import { asRefusal, assertEncoding, assertMigratable, assertOurMigrations } from './preconditions.js';
import { isCompatible, markCompatible, MIGRATIONS_TABLE } from './schema-compatibility.js';
import { DEFAULT_SCHEMA, type DatabaseConnection } from '../session-settings.js';

/** "KEKS" in ASCII: instances that start together migrate one after the other. */
const MIGRATION_LOCK = 0x4b_45_4b_53;
const OLDEST_POSTGRES = 140_000;

/**
 * Migrates the schema to the version of this program.
 * @param tell receives in a few words what it does
 * @returns names of the migrations that ran now, the oldest first
 * @throws DatabaseRefusal for a standby, a server that is too old, a schema too new for this program, or anything else
 * that waiting does not mend
 */
export async function migrate(
  connection: DatabaseConnection,
  tell: (progress: string) => void = () => undefined,
): Promise<string[]> {
  const client = await openClient(connection);
  try {
    await assertServer(client);
    if ((await lacking(client)).length === 0) return [];
    return await inTurn(connection, tell, async () => {
      const missing = await pendingMigrations(client);
      if (missing.length === 0) return missing;
      tell(`migrating: ${missing.join(', ')}`);
      await runMigrations(connection, client, tell);
      return missing;
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Runs `work` in one instance after the other. The lock ends with its transaction: a lock of the session would stay
 * with a pooler, which gives the session to another client. A separate connection holds the lock and does nothing else.
 */
async function inTurn<T>(
  connection: DatabaseConnection,
  tell: (progress: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const holder = await openClient(connection);
  try {
    await holder.query('BEGIN');
    const { rows } = await holder.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS free', [
      MIGRATION_LOCK,
    ]);
    if (!rows[0]?.free) {
      tell('waiting for whoever else migrates');
      await holder.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    }
    return await work();
  } finally {
    await holder.query('ROLLBACK').catch(() => undefined);
    await holder.end().catch(() => undefined);
  }
}

/**
 * The migrations that this program has and the database has not, after checks that they can run there.
 * @throws DatabaseRefusal when waiting would not help
 */
export async function lacking(client: PinnedClient): Promise<string[]> {
  await assertSchema(client);
  await assertEncoding(client);
  const pending = await pendingMigrations(client);
  if (pending.length > 0) await assertMigratable(client, pending.length < migrations.length);
  return pending;
}

async function assertServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ standby: boolean; version: string; database: string }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('server_version_num') AS version, current_database() AS database`,
  );
  const server = rows[0];
  if (!server || server.standby)
    throw new DatabaseRefusal(
      'DATABASE_URL leads to a hot standby, which cannot see a revoke at once: point it at the primary.',
    );
  if (Number(server.version) < OLDEST_POSTGRES)
    throw new DatabaseRefusal(
      `DATABASE_URL leads to PostgreSQL ${Math.floor(Number(server.version) / 10_000)}; Keks needs 14 or newer: upgrade the server.`,
    );
}

async function assertSchema(client: PinnedClient): Promise<void> {
  const { schema = DEFAULT_SCHEMA } = client;
  const { rows } = await client.query<{ schema: string | null }>('SELECT current_schema() AS schema');
  if (rows[0]?.schema !== schema)
    throw new DatabaseRefusal(
      `There is no schema "${schema}" in the database that this role may use: CREATE SCHEMA "${schema}" AUTHORIZATION its owner, or set DATABASE_SCHEMA to another one.`,
    );
}

/**
 * Refuses if another schema has our tables, because the role's search_path led there once, or still does. A second set
 * of tables beside the first would silently hide all data.
 * @throws DatabaseRefusal
 */
async function refuseIfElsewhere(client: pg.Client): Promise<void> {
  if (!(client instanceof PinnedClient) || client.schema !== undefined) return;
  const { rows } = await client.query<{ schema: string }>(
    `SELECT t.relnamespace::regnamespace::text AS schema
       FROM pg_class t JOIN pg_class m ON m.relnamespace = t.relnamespace AND m.relname = $1
      WHERE t.relname = 'access_tokens' AND t.relkind = 'p' ORDER BY 1`,
    [MIGRATIONS_TABLE],
  );
  if (rows.length > 0)
    throw new DatabaseRefusal(
      `The tables of Keks are in another schema than "${DEFAULT_SCHEMA}": set DATABASE_SCHEMA=${rows.map(({ schema }) => schema).join(' or ')}. A search_path of the role or the database does not count.`,
    );
}

/**
 * The migrations that this program has and the database has not.
 * @throws DatabaseRefusal if the database has migrations of a newer program that removed what this program needs, or if
 * the tables are in another schema or belong to another program
 */
export async function pendingMigrations(client: pg.Client): Promise<string[]> {
  const known: string[] = migrations.map((migration) => new migration().name);
  if (!(await hasMigrationsTable(client))) {
    await refuseIfElsewhere(client);
    return known;
  }
  await assertOurMigrations(client, known);
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
  const done = new Set(rows.map((row) => row.name));
  const foreign = [...done].filter((name) => !known.includes(name));
  if (foreign.length > 0 && !(await isCompatible(client)))
    throw new DatabaseRefusal(
      `The schema is newer than this program (it has ${foreign.join(', ')}): start the newer Keks, or restore the backup from before its upgrade.`,
    );
  return known.filter((name) => !done.has(name));
}

/** Raises the mark first, so that no older program starts on a schema while a migration removes something from it. */
async function runMigrations(
  connection: DatabaseConnection,
  client: pg.Client,
  tell: (progress: string) => void,
): Promise<void> {
  // loaded late, because most starts have nothing to migrate
  const { createDataSource } = await import('./data-source.js');
  const dataSource = createDataSource({ ...connection, application_name: MIGRATING });
  await dataSource.initialize();
  try {
    if (await hasMigrationsTable(client)) await markCompatible(client);
    await watched(client, tell, dataSource.runMigrations({ transaction: 'each' }));
    await markCompatible(client);
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await dataSource.destroy();
  }
}

async function hasMigrationsTable(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    MIGRATIONS_TABLE,
  ]);
  return rows[0]?.found === true;
}
