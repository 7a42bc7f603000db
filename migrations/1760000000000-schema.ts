import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The whole schema. Secrets are stored as digests (`bytea`, SHA-256), never in clear. Token tables have no foreign key to
 * `grants`: issuing checks the grant in the same statement, under the row lock of its owner. A token whose grant is gone is dead,
 * because it finds no row to join.
 */
export class Schema1760000000000 implements MigrationInterface {
  readonly name = 'Schema1760000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(OWNERS);
    await queryRunner.query(GRANTS);
    await queryRunner.query(TOKENS);
    await queryRunner.query(KEYS_AND_AUDIT);
    // pg_temp must be named last: otherwise a caller's own temporary tables would be found first
    await queryRunner.query(
      `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)`,
    );
    await queryRunner.query(PARTITION_FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION keks_drop_partition(text, timestamptz);
      DROP FUNCTION keks_make_partition(text, timestamptz, timestamptz);
      DROP TABLE attempt_counters, audit_events, signing_keys, api_keys, refresh_tokens, access_tokens, grants, client_secrets,
        clients, users;
    `);
  }
}

const OWNERS = `
  CREATE TABLE users (
    id            uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at    timestamptz NOT NULL DEFAULT now(),
    name          text        NOT NULL,
    name_folded   text        NOT NULL,
    password_hash text        NOT NULL,
    scope         text        NOT NULL,
    disabled_at   timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_name_folded_key UNIQUE (name_folded)
  );
  CREATE TABLE clients (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    client_id    text        NOT NULL,
    name         text        NOT NULL,
    scope        text        NOT NULL,
    audience     text[]      NOT NULL,
    token_format text        NOT NULL,
    disabled_at  timestamptz,
    CONSTRAINT clients_pkey PRIMARY KEY (id),
    CONSTRAINT clients_client_id_key UNIQUE (client_id),
    CONSTRAINT clients_token_format_check CHECK (token_format IN ('opaque', 'jwt'))
  );
  CREATE TABLE client_secrets (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    client_id  text        NOT NULL,
    digest     bytea       NOT NULL,
    CONSTRAINT client_secrets_pkey PRIMARY KEY (id),
    CONSTRAINT client_secrets_digest_key UNIQUE (digest),
    CONSTRAINT client_secrets_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id)
  );
  CREATE INDEX client_secrets_client_id_idx ON client_secrets (client_id);
`;

const GRANTS = `
  CREATE TABLE grants (
    id             uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at     timestamptz NOT NULL DEFAULT now(),
    kind           text        NOT NULL,
    user_id        uuid,
    client_id      text,
    scope          text        NOT NULL,
    label          text,
    expires_at     timestamptz,
    revoked_at     timestamptz,
    revoked_reason text,
    last_used_at   timestamptz,
    ip             text,
    user_agent     text,
    CONSTRAINT grants_pkey PRIMARY KEY (id),
    CONSTRAINT grants_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT grants_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id),
    CONSTRAINT grants_kind_check CHECK (kind IN ('login', 'client', 'api_key')),
    CONSTRAINT grants_owner_check CHECK (
      CASE kind WHEN 'client' THEN client_id IS NOT NULL AND user_id IS NULL
                ELSE user_id IS NOT NULL AND client_id IS NULL END)
  );
  CREATE INDEX grants_user_id_idx ON grants (user_id, id);
  CREATE INDEX grants_client_id_idx ON grants (client_id, id);
  CREATE INDEX grants_created_at_idx ON grants (created_at, id);
  CREATE INDEX grants_expires_at_idx ON grants (expires_at);
  CREATE UNIQUE INDEX grants_standing_key ON grants (client_id) WHERE kind = 'client' AND revoked_at IS NULL;
`;

const TOKENS = `
  CREATE TABLE access_tokens (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    digest     bytea       NOT NULL,
    expires_at timestamptz NOT NULL,
    grant_id   uuid        NOT NULL,
    scope      text        NOT NULL,
    audience   text        NOT NULL,
    format     text        NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT access_tokens_pkey PRIMARY KEY (digest, expires_at),
    CONSTRAINT access_tokens_format_check CHECK (format IN ('opaque', 'jwt'))
  ) PARTITION BY RANGE (expires_at);
  CREATE TABLE access_tokens_default PARTITION OF access_tokens DEFAULT;

  CREATE TABLE refresh_tokens (
    id                   uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at           timestamptz NOT NULL DEFAULT now(),
    digest               bytea       NOT NULL,
    expires_at           timestamptz NOT NULL,
    grant_id             uuid        NOT NULL,
    scope                text        NOT NULL,
    audience             text        NOT NULL,
    format               text        NOT NULL,
    used_at              timestamptz,
    successor            bytea,
    successor_expires_at timestamptz,
    answered_scope       text,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest, expires_at),
    CONSTRAINT refresh_tokens_format_check CHECK (format IN ('opaque', 'jwt'))
  ) PARTITION BY RANGE (expires_at);
  CREATE TABLE refresh_tokens_default PARTITION OF refresh_tokens DEFAULT;

  CREATE TABLE api_keys (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    digest       bytea       NOT NULL,
    grant_id     uuid        NOT NULL,
    expires_at   timestamptz NOT NULL,
    audience     text        NOT NULL,
    CONSTRAINT api_keys_pkey PRIMARY KEY (digest),
    CONSTRAINT api_keys_grant_id_key UNIQUE (grant_id),
    CONSTRAINT api_keys_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES grants (id)
  );
`;

const KEYS_AND_AUDIT = `
  CREATE TABLE signing_keys (
    id          uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at  timestamptz NOT NULL DEFAULT now(),
    kid         text        NOT NULL,
    alg         text        NOT NULL,
    private_key bytea       NOT NULL,
    public_jwk  jsonb       NOT NULL,
    signs_from  timestamptz NOT NULL,
    retires_at  timestamptz,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id),
    CONSTRAINT signing_keys_kid_key UNIQUE (kid)
  );

  CREATE TABLE attempt_counters (
    key      bytea       NOT NULL,
    failures integer     NOT NULL,
    ends_at  timestamptz NOT NULL,
    CONSTRAINT attempt_counters_pkey PRIMARY KEY (key)
  );
  CREATE INDEX attempt_counters_ends_at_idx ON attempt_counters (ends_at);

  CREATE TABLE audit_events (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    type       text        NOT NULL,
    actor      text,
    grant_id   uuid,
    token_id   uuid,
    ip         text,
    request_id text,
    detail     jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT audit_events_pkey PRIMARY KEY (created_at, id)
  ) PARTITION BY RANGE (created_at);
  CREATE INDEX audit_events_grant_id_idx ON audit_events (grant_id);
  CREATE INDEX audit_events_token_id_idx ON audit_events (token_id);
  CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT;
`;

/**
 * Partitions are added by ATTACH and removed by DETACH and DROP. A new partition is first filled from the default partition: rows
 * there that belong to the new one would make the ATTACH fail. The functions belong to the migrating role and run with its
 * rights, so the role at run time needs no ownership. Their search path is fixed at creation, to the schema in use, so nobody can
 * make them use other tables.
 */
const PARTITION_FUNCTIONS = `
  CREATE FUNCTION keks_make_partition(parent text, lower timestamptz, upper timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
  DECLARE
    child text := parent || '_' || to_char(lower, 'YYYYMMDD');
    key   text := CASE parent WHEN 'access_tokens' THEN 'expires_at' WHEN 'refresh_tokens' THEN 'expires_at'
                              WHEN 'audit_events' THEN 'created_at' END;
  BEGIN
    IF key IS NULL OR lower >= upper THEN
      RAISE EXCEPTION 'not a table that Keks partitions, or an empty range: %', parent;
    END IF;
    IF to_regclass(quote_ident(child)) IS NOT NULL THEN
      RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', parent || '_default');
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', parent || '_default', key, lower, key, upper, child);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);
    RETURN true;
  END $$;

  CREATE FUNCTION keks_drop_partition(child text, upto timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
  DECLARE
    parent text;
    bound  text;
  BEGIN
    SELECT p.relname, pg_get_expr(c.relpartbound, c.oid) INTO parent, bound
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
     WHERE c.oid = to_regclass(quote_ident(child));
    IF parent IS NULL OR parent NOT IN ('access_tokens', 'refresh_tokens', 'audit_events')
       OR coalesce(substring(bound FROM 'TO \\(''([^'']+)''\\)')::timestamptz > upto, true) THEN
      RETURN false;
    END IF;
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, child);
    EXECUTE format('DROP TABLE %I', child);
    RETURN true;
  END $$;

  REVOKE ALL ON FUNCTION keks_make_partition(text, timestamptz, timestamptz) FROM PUBLIC;
  REVOKE ALL ON FUNCTION keks_drop_partition(text, timestamptz) FROM PUBLIC;
`;
