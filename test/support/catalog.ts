import type { Client } from 'pg';

/** Everything that makes a schema, as PostgreSQL's catalog tells it: one line a thing, sorted. */
export async function catalogOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    WITH ours AS (
      SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    )
    SELECT format('relation %s %s', relkind, relname) AS line FROM ours WHERE relkind <> 'i' AND relkind <> 'I'
    UNION ALL
    SELECT format('column %s.%s %s%s %s', o.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                  CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, pg_get_expr(d.adbin, d.adrelid))
      FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE o.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('constraint %s %s %s', o.relname, k.conname, pg_get_constraintdef(k.oid))
      FROM ours o JOIN pg_constraint k ON k.conrelid = o.oid
    UNION ALL
    SELECT format('index %s', pg_get_indexdef(oid)) FROM ours WHERE relkind IN ('i', 'I')
    UNION ALL
    SELECT format('partition key %s %s', relname, pg_get_partkeydef(oid)) FROM ours WHERE relkind = 'p'
    UNION ALL
    SELECT format('function %s %s', p.oid::regprocedure, md5(pg_get_functiondef(p.oid)))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND p.prokind = 'f'
    UNION ALL
    SELECT format('type %s', t.typname)
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = 'public' AND t.typtype IN ('e', 'd') 
    UNION ALL
    SELECT format('trigger %s', t.tgname) FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    SELECT format('extension %s', extname) FROM pg_extension WHERE extname <> 'plpgsql'
    ORDER BY line`);
  return rows.map(({ line }) => line);
}
