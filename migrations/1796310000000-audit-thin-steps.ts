import type { MigrationInterface, QueryRunner } from 'typeorm';
import { AuditByType1796260660000 } from './1796260660000-audit-by-type.js';

/**
 * A month is copied in steps, by its primary key. Each step is a transaction of its own and takes as long as some rows take. A
 * copy that was cut off continues where the last whole step ended.
 */
export class AuditThinSteps1796310000000 implements MigrationInterface {
  readonly name = 'AuditThinSteps1796310000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const step of [OWN_SEARCH_PATH, THIN]) await queryRunner.query(step);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION keks_thin_audit(text, boolean)');
    await new AuditByType1796260660000().up(queryRunner);
  }
}

/** Functions keep the search path of their creation; with `pg_temp` last, a caller's own temporary tables are not found first. */
const OWN_SEARCH_PATH = `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`;

/** How many rows a step looks at: that takes about half a second. */
const STEP = 20_000;

/**
 * Without `swap`: makes the next step of a copy, if one is due. NULL: there is more to copy; the previous version takes that for
 * "not ready". True: the copy is ready. With `swap` the copy then takes the place of the month, under the locks of DETACH. The
 * comment on a copy says how far it has got; its last row does not, because very many rows may be left out.
 */
const THIN = `
  CREATE OR REPLACE FUNCTION keks_thin_audit(child text, swap boolean) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC'
  SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  DECLARE
    thin   text := child || '_thin';
    begun  timestamptz;
    over   timestamptz;
    due    text[];
    mark   text;
    said   text;
    stands text[];
    seen   record;
  BEGIN
    SELECT substring(bound FROM 'FROM \\(''([^'']+)''\\)')::timestamptz, substring(bound FROM 'TO \\(''([^'']+)''\\)')::timestamptz
      INTO begun, over
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) AS bound
     WHERE i.inhparent = 'audit_events'::regclass AND c.oid = to_regclass(quote_ident(child));
    IF over IS NULL OR NOT swap AND NOT pg_try_advisory_xact_lock(hashtext(thin)) THEN
      RETURN false;
    END IF;
    SELECT array_agg(named[1] ORDER BY named[1]) INTO due
      FROM pg_attribute a,
           regexp_matches(col_description(a.attrelid, a.attnum), '([a-z_]+\\.[a-z_]+)=([0-9]{1,4})', 'g') AS named
     WHERE a.attrelid = 'audit_events'::regclass AND a.attname = 'type'
       AND over <= date_trunc('month', clock_timestamp()) - make_interval(months => named[2]::int);
    mark := 'without ' || array_to_string(due, ', ');
    said := obj_description(to_regclass(quote_ident(thin)), 'pg_class');
    stands := regexp_match(said, '^up to (\\S+) (\\S+) (.*)$');
    IF to_regclass(quote_ident(thin)) IS NOT NULL AND NOT coalesce(said = mark OR stands[3] = mark, false) THEN
      EXECUTE format('DROP TABLE %I', thin);
      stands := NULL;
    END IF;
    IF due IS NULL OR obj_description(to_regclass(quote_ident(child)), 'pg_class') = mark THEN
      RETURN false;
    END IF;
    IF said = mark THEN
      IF swap THEN
        EXECUTE format('ALTER TABLE audit_events DETACH PARTITION %I', child);
        EXECUTE format('DROP TABLE %I', child);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', thin, child);
        EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', child, begun, over);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', child, thin);
      END IF;
      RETURN true;
    END IF;
    IF swap THEN
      RETURN false;
    END IF;
    IF stands IS NULL THEN
      EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING ALL)', thin);
      -- so that ATTACH need not look at the rows
      EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (created_at >= %L AND created_at < %L)', thin, thin, begun, over);
      stands := ARRAY['-infinity', '00000000-0000-0000-0000-000000000000'];
    END IF;
    EXECUTE format(
      'WITH step AS MATERIALIZED (
         SELECT * FROM %I WHERE (created_at, id) > ($1::timestamptz, $2::uuid) ORDER BY created_at, id LIMIT ${STEP}
       ), kept AS (
         INSERT INTO %I SELECT * FROM step WHERE type <> ALL ($3)
       )
       SELECT created_at, id, (SELECT count(*) FROM step) AS rows FROM step ORDER BY created_at DESC, id DESC LIMIT 1',
      child, thin) INTO seen USING stands[1], stands[2], due;
    IF seen.rows = ${STEP} THEN
      EXECUTE format('COMMENT ON TABLE %I IS %L', thin,
        format('up to %s %s %s', to_char(seen.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), seen.id, mark));
      RETURN NULL;
    END IF;
    EXECUTE format('COMMENT ON TABLE %I IS %L', thin, mark);
    RETURN true;
  END $$;
`;
