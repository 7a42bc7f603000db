import type pg from 'pg';

const STEP = 500;
const UNUSED_CLIENTS = `
  SELECT c.client_id FROM clients c
   WHERE c.self_registered AND c.created_at < $1 AND (c.disabled_at IS NULL OR c.client_id LIKE 'c-%')
     AND NOT EXISTS (SELECT FROM grants g WHERE g.client_id = c.client_id)
   LIMIT ${STEP} FOR UPDATE OF c SKIP LOCKED`;
const PURGE_CLIENTS = `
  WITH gone AS (
    DELETE FROM clients c WHERE c.client_id = ANY ($1)
       AND NOT EXISTS (SELECT FROM grants g WHERE g.client_id = c.client_id)
    RETURNING c.client_id, c.name
  )
  INSERT INTO audit_events (created_at, type, actor, detail)
  SELECT $2, 'client.expired', 'keks', jsonb_build_object('client_id', client_id, 'name', name) FROM gone`;

/**
 * Deletes self-registered clients that no person has allowed in, or not for a long time. One statement locks their
 * rows, and the next one checks them again: a grant that was made meanwhile held the row of its client, so the second
 * statement sees it. A disabled client with a name of its own stays, because otherwise it would come back.
 */
export async function purgeUnusedClients(
  client: pg.Client,
  now: number,
  unusedSeconds: number,
): Promise<void> {
  const since = new Date(now - unusedSeconds * 1_000);
  for (;;) {
    await client.query('BEGIN');
    try {
      const { rows } = await client.query<{ client_id: string }>(UNUSED_CLIENTS, [since]);
      const ids = rows.map((row) => row.client_id);
      await client.query(
        `DELETE FROM client_secrets s WHERE s.client_id = ANY ($1)
            AND NOT EXISTS (SELECT FROM grants g WHERE g.client_id = s.client_id)`,
        [ids],
      );
      await client.query(PURGE_CLIENTS, [ids, new Date(now)]);
      await client.query('COMMIT');
      if (ids.length < STEP) return;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
  }
}
