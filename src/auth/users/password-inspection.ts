import type { Client } from 'pg';

/** How many users' passwords were hashed under which pepper; null for a hash of unknown form. For operators. */
export async function inspectPeppers(client: Client): Promise<{ pepper: string | null; users: number }[]> {
  const { rows } = await client.query<{ pepper: string | null; users: number }>(
    `SELECT substring(password_hash FROM '^keks1\\$([0-9a-f]{8})\\$') AS pepper, count(*)::int AS users
       FROM users GROUP BY 1`,
  );
  return rows;
}
