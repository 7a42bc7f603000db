import type pg from 'pg';

/** The default, in months. `keks_drop_partition` knows it, too. */
export const AUDIT_MONTHS = 13;

/** How long the database keeps audit events, even if a program asks it to drop more. */
export interface AuditRetention {
  readonly months: number;
  /** Types of events that are dropped earlier, with their months: `token.issued=1,token.refreshed=1`, or empty. */
  readonly byType: string;
}

export interface StatedRetention extends AuditRetention {
  /** Whether this role may change the retention. */
  readonly owner: boolean;
}

export async function auditRetention(client: pg.Client): Promise<StatedRetention> {
  const { rows } = await client.query<StatedRetention>(
    `SELECT coalesce(substring(obj_description(c.oid, 'pg_class') FROM '^audit_months=([0-9]{1,4})$')::int, ${AUDIT_MONTHS}) AS months,
            coalesce(col_description(c.oid, a.attnum), '') AS "byType", pg_has_role(c.relowner, 'USAGE') AS owner
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'type'
      WHERE c.oid = 'audit_events'::regclass`,
  );
  return rows[0] ?? { months: AUDIT_MONTHS, byType: '', owner: false };
}

/**
 * Writes the retention into comments: every role can read them, only the owner can change them, and they need no grant.
 * `byType` has one canonical spelling, without quotes.
 */
export function stateAuditRetention({ months, byType }: AuditRetention): string {
  return `
    COMMENT ON TABLE audit_events IS 'audit_months=${months}';
    COMMENT ON COLUMN audit_events.type IS '${byType}'`;
}
