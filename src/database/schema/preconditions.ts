/** What a database must fulfil before its schema can be made or used. Waiting mends none of these faults. */
import type { Client } from 'pg';
import { DatabaseRefusal } from '../database-refusal.js';
import { sqlState } from '../postgres-error.js';
import { MIGRATIONS_TABLE } from './schema-compatibility.js';

/** Tables of the first schema. A database with one of them, but without our migrations, belongs to another program. */
export const OUR_TABLES = [
  'users',
  'clients',
  'client_secrets',
  'grants',
  'access_tokens',
  'refresh_tokens',
  'api_keys',
  'signing_keys',
  'audit_events',
  'attempt_counters',
];

const OWN_SCHEMA =
  'give Keks a schema of its own: CREATE SCHEMA keks AUTHORIZATION its role, and DATABASE_SCHEMA=keks';

/**
 * Names of people may be in any script.
 * @throws DatabaseRefusal unless the database can store every text
 */
export async function assertEncoding(client: Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    `SELECT current_setting('server_encoding') AS encoding`,
  );
  const encoding = rows[0]?.encoding;
  if (encoding !== 'UTF8')
    throw new DatabaseRefusal(
      `The encoding of the database is ${encoding}, in which not every name can be stored: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and point DATABASE_URL there.`,
    );
}

interface Place {
  readonly role: string;
  readonly schema: string;
  readonly creates: boolean;
  /** Tables in this schema that have our names. */
  readonly taken: readonly string[];
  /** The owner of a table of ours that this role may not change; null if there is none. */
  readonly owner: string | null;
  /** Whether `owner` has been granted to this role, which does not inherit the rights of `owner`. */
  readonly member: boolean | null;
}

/**
 * @param begun whether our migrations have run here before
 * @throws DatabaseRefusal unless this role can migrate here
 */
export async function assertMigratable(client: Client, begun: boolean): Promise<void> {
  const place = await lookAt(client);
  if (!place) return;
  const { role, schema, creates, taken, owner, member } = place;
  if (!begun && taken.length > 0)
    throw new DatabaseRefusal(
      `The schema "${schema}" has tables of another program (${taken.join(', ')}): ${OWN_SCHEMA}.`,
    );
  if (begun && owner !== null)
    throw new DatabaseRefusal(
      `The tables of Keks belong to "${owner}", and the role "${role}" may not change them: ` +
        (member
          ? `ALTER ROLE "${role}" INHERIT and grant "${owner}" to it anew, or run "keks migrate" as "${owner}".`
          : `run "keks migrate" as "${owner}".`),
    );
  if (!creates)
    throw new DatabaseRefusal(
      `The role "${role}" may not make tables in the schema "${schema}": GRANT CREATE ON SCHEMA "${schema}" TO "${role}" as its owner, or ${OWN_SCHEMA}.`,
    );
}

async function lookAt(client: Client): Promise<Place | undefined> {
  const { rows } = await client.query<Place>(
    `WITH ours AS (SELECT relname, relowner FROM pg_class
                    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relname = ANY ($1) AND relkind IN ('r', 'p', 'v', 'm', 'f')),
          foreign_owner AS (SELECT relowner FROM ours WHERE NOT pg_has_role(relowner, 'USAGE') LIMIT 1)
     SELECT current_user AS role, current_schema() AS schema,
            has_schema_privilege(current_schema(), 'CREATE') AS creates,
            ARRAY(SELECT relname::text FROM ours ORDER BY relname) AS taken,
            (SELECT pg_get_userbyid(relowner) FROM foreign_owner) AS owner,
            (SELECT pg_has_role(relowner, 'MEMBER') FROM foreign_owner) AS member`,
    [OUR_TABLES],
  );
  return rows[0];
}

/**
 * TypeORM's table of migrations has a common name, so another program may have made it.
 * @param known the names of all our migrations
 * @throws DatabaseRefusal if the table of migrations belongs to another program
 */
export async function assertOurMigrations(client: Client, known: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ schema: string; columns: readonly string[] }>(
    `SELECT relnamespace::regnamespace::text AS schema,
            ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0) AS columns
       FROM pg_class WHERE oid = to_regclass($1)`,
    [MIGRATIONS_TABLE],
  );
  const [table] = rows;
  if (!table) return;
  if (table.columns.includes('name') && table.columns.includes('timestamp')) {
    const { rows: done } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
    if (done.length === 0 || done.some(({ name }) => known.includes(name))) return;
  }
  throw new DatabaseRefusal(
    `The table "${MIGRATIONS_TABLE}" in the schema "${table.schema}" is of another program: ${OWN_SCHEMA}.`,
  );
}

/** insufficient_privilege, read_only_sql_transaction, duplicate_table, duplicate_object, feature_not_supported */
const NO = new Set(['42501', '25006', '42P07', '42710', '0A000']);

/**
 * Turns the error of a migration that PostgreSQL does not permit into a `DatabaseRefusal`: trying again does not help.
 */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !NO.has(sqlState(error) ?? '')) return error;
  return new DatabaseRefusal(
    `PostgreSQL does not let this role make the schema (${error.message}): run "keks migrate" as a role that may, or ${OWN_SCHEMA}.`,
  );
}
