import type pg from 'pg';
import { COMPATIBLE_FROM, migrations } from '../../../migrations/index.js';

/** The table in which TypeORM notes which migrations have run. */
export const MIGRATIONS_TABLE = 'migrations';
const MARK = /^compatible_from=(\d{13})$/;

/**
 * Notes which programs may run on this schema, as a comment on the table of migrations: every role can read the
 * comment, and only the owner can change it.
 * @param from timestamp of the newest migration that a program must know
 */
export async function markCompatible(client: pg.Client, from = COMPATIBLE_FROM): Promise<void> {
  if (!/^\d{13}$/.test(String(from))) throw new TypeError(`not the timestamp of a migration: ${from}`);
  await client.query(`COMMENT ON TABLE ${MIGRATIONS_TABLE} IS 'compatible_from=${from}'`);
}

/** Whether this program can run on a schema that has migrations it does not know. Without a mark it cannot. */
export async function isCompatible(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ mark: string | null }>(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS mark`,
    [MIGRATIONS_TABLE],
  );
  const [, from] = MARK.exec(rows[0]?.mark ?? '') ?? [];
  return from !== undefined && Number(from) <= newestKnown();
}

/** TypeORM requires the timestamp at the end of each name. */
function newestKnown(): number {
  return Math.max(...migrations.map((migration) => Number(new migration().name.slice(-13))));
}
