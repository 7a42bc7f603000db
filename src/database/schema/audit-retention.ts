import type pg from 'pg';

/** Where nobody has said anything. `keks_drop_partition` knows it, too. */
export const AUDIT_MONTHS = 13;

/** What the database keeps, whoever asks it to let more go. */
export interface AuditRetention {
  readonly months: number;
  /** Types that go earlier: `token.issued=1,token.refreshed=1`, or empty. */
  readonly byType: string;
}

export interface StatedRetention extends AuditRetention {
  /** Whether this role may state another one. */
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

/** Comments: every role reads them, only the owner changes them, and they need no grant. `byType` is of one spelling, without quotes. */
export function stateAuditRetention({ months, byType }: AuditRetention): string {
  return `
    COMMENT ON TABLE audit_events IS 'audit_months=${months}';
    COMMENT ON COLUMN audit_events.type IS '${byType}'`;
}
