import type { Statement } from '../../database/statement.js';

export interface KnownScopeRow {
  readonly scope: string;
  readonly description: string | null;
}

/** Reads at most this many users and this many clients: the list is for people, and must not read a million rows. */
const LOOKED_AT_MOST = 10_000;
const SHOWN_MOST = 500;

/** Every scope in use: asked for by routes (`$1`), described, granted, or named together with an API. */
export const KNOWN_SCOPES: Statement = {
  name: 'known_scopes',
  text: `
    SELECT k.scope, d.description
      FROM (SELECT unnest($1::text[]) AS scope
            UNION SELECT scope FROM scope_descriptions
            UNION SELECT unnest(string_to_array(scope, ' ')) FROM (SELECT scope FROM users LIMIT ${LOOKED_AT_MOST}) AS u
            UNION SELECT unnest(string_to_array(scope, ' ')) FROM (SELECT scope FROM clients LIMIT ${LOOKED_AT_MOST}) AS c
            UNION SELECT unnest((string_to_array(api, ' '))[2:])
                    FROM (SELECT unnest(resources) AS api FROM clients LIMIT ${LOOKED_AT_MOST}) AS r) AS k
      LEFT JOIN scope_descriptions d ON d.scope = k.scope
     WHERE k.scope <> '' ORDER BY k.scope COLLATE "C" LIMIT ${SHOWN_MOST}`,
};
