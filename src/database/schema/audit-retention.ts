import type pg from 'pg';

/** Where nobody has said anything. `keks_drop_partition` knows it, too. */
export const AUDIT_MONTHS = 13;

export interface AuditRetention {
  /** What the database keeps, in months, whoever asks it to drop more. */
  readonly stated: number;
  /** Whether this role may state another one. */
  readonly owner: boolean;
}

export async function auditRetention(client: pg.Client): Promise<AuditRetention> {
  const { rows } = await client.query<AuditRetention>(
    `SELECT coalesce(substring(obj_description(oid, 'pg_class') FROM '^audit_months=([0-9]{1,4})$')::int, ${AUDIT_MONTHS}) AS stated,
            pg_has_role(relowner, 'USAGE') AS owner
       FROM pg_class WHERE oid = 'audit_events'::regclass`,
  );
  return rows[0] ?? { stated: AUDIT_MONTHS, owner: false };
}

/** A comment: every role reads it, only the owner changes it, and it needs no grant. */
export function stateAuditRetention(months: number): string {
  return `COMMENT ON TABLE audit_events IS 'audit_months=${months}'`;
}
