import type { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import type { Part, Position, Positioned } from '../lists/cursors.js';
import { ALONG_THE_KEY, endedWithOwner } from './owner-ending.sql.js';

/** So many grants a page looks at that no row of their own says to have ended: it is far less than it has time for. */
export const LOOKED_AT_MOST = 5_000;

export interface LivingGrants {
  readonly name: string;
  /** Of the grant `g`, its `id` and `created_at` among them, and of what is joined. */
  readonly columns: string;
  readonly join?: string;
  /** The owner is `$5`; everybody's if absent. */
  readonly of?: 'client' | 'user' | 'login' | 'api_key';
}

const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';

const nextOf = (condition: string): string => `
  SELECT * FROM grants
   WHERE revoked_at IS NULL AND (created_at, id) < ($1::timestamptz, $2::uuid) ${condition}
   ${NEWEST_FIRST} LIMIT ${LOOKED_AT_MOST}`;

const nextOfUser = (kind: string): string => nextOf(`AND user_id = $5 AND kind = '${kind}'`);

/** Each by an index that has them in this order; those of a user in one a kind. */
const NEXT = {
  anybody: nextOf(''),
  client: nextOf('AND client_id = $5'),
  login: nextOfUser('login'),
  api_key: nextOfUser('api_key'),
  user: `${['login', 'api_key', 'consent'].map((kind) => `(${nextOfUser(kind)})`).join(' UNION ALL ')}
    ${NEWEST_FIRST} LIMIT ${LOOKED_AT_MOST}`,
} as const;

/**
 * Living grants behind `$1, $2`, newest first: `$4` of them at most. What has ended is not looked at where its own row says
 * so; what is over by time, or has ended with all of its owner's, is looked at in steps, and then a page is short.
 */
export function livingGrants({ name, columns, join = '', of }: LivingGrants): Statement {
  const next = NEXT[of ?? 'anybody'];
  return {
    name,
    text: `
      WITH page AS MATERIALIZED (
        SELECT ${columns}, ARRAY[g.created_at::text, g.id::text] AS position FROM (${next}) AS g ${join}
         WHERE (g.expires_at IS NULL OR g.expires_at > $3) AND NOT ${endedWithOwner('g')}
         ORDER BY g.created_at DESC, g.id DESC LIMIT $4::int
      ), horizon AS (
        SELECT ARRAY[created_at::text, id::text] AS rest FROM (${next}) AS g
         WHERE (SELECT count(*) FROM page) < $4::int
         ${NEWEST_FIRST} OFFSET ${LOOKED_AT_MOST - 1} LIMIT 1
      )
      SELECT page.*, rest FROM (SELECT) AS one LEFT JOIN page ON true LEFT JOIN horizon ON true
       ORDER BY page.created_at DESC, page.id DESC`,
  };
}

interface Living {
  readonly statement: Statement;
  readonly owner?: string | undefined;
  readonly now: Date;
}

/** A page that has fewer than `limit`, or none, need not be the last one: its `rest` says so. */
export async function listLiving<R extends Positioned>(
  database: Database,
  { statement, owner, now }: Living,
  after: Position,
  limit: number,
): Promise<Part<R>> {
  const values = [...after, now, limit + 1, ...(owner === undefined ? [] : [owner])];
  const found = await database.transaction(async ({ run }) => {
    await run(ALONG_THE_KEY);
    return run<R & { readonly id: string | null; readonly rest: Position | null }>(statement, values);
  });
  const rest = found[0]?.rest ?? undefined;
  const living = found.filter(({ id }) => id !== null);
  const rows = living.slice(0, limit).map((row) => {
    const { rest: _, ...one } = row;
    return one as unknown as R;
  });
  return { rows, rest: living.length > limit ? rows.at(-1)?.position : rest };
}
