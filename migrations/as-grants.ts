/**
 * New objects belong to the owner of the tables, also when a superuser migrates for him.
 * @param things as ALTER names them, such as `TABLE revocations`
 */
export const sameOwner = (...things: string[]): string => `
  DO $$ DECLARE owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'grants'::regclass); BEGIN
    IF owner <> current_user THEN
      ${things.map((thing) => `EXECUTE format('ALTER ${thing} OWNER TO %I', owner);`).join('\n      ')}
    END IF;
  END $$;
`;

export type TableRight = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/**
 * A role that serves without owning anything (docs/operating.md) keeps working: of these rights it gets those that it has on
 * grants.
 */
export const sameRights = (tables: readonly string[], rights: readonly TableRight[]): string => `
  DO $$ DECLARE may record; BEGIN
    FOR may IN SELECT privilege_type AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who
                 FROM pg_class, aclexplode(relacl)
                WHERE oid = 'grants'::regclass AND grantee <> relowner
                  AND privilege_type IN (${rights.map((right) => `'${right}'`).join(', ')}) LOOP
      EXECUTE format('GRANT %s ON ${tables.join(', ')} TO %s', may.what, may.who);
    END LOOP;
  END $$;
`;
