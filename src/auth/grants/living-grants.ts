import type { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import type { Part, Position, Positioned } from '../lists/cursors.js';
import { ALONG_THE_KEY, endedWithOwner } from './owner-ending.sql.js';

/** One step reads at most this many grants that are not revoked in their own row. A statement has time for far more. */
export const LOOKED_AT_MOST = 5_000;

export interface LivingGrants {
  readonly name: string;
  /** Columns of the grant `g`, including `id` and `created_at`, and of the joined table. */
  readonly columns: string;
  readonly join?: string;
  /** The kind of owner or grant; the owner's id is `$5`. If absent, the grants of everybody. */
  readonly of?: 'client' | 'user' | 'login' | 'api_key';
}

/**
 * The same order, written in two ways, so that each way fits exactly one index. Otherwise, for an owner with most of
 * the grants, the planner would use the index of everybody's grants, or the index that also contains revoked grants.
 */
const ORDER = {
  anybody: 'ORDER BY created_at DESC NULLS LAST, id DESC',
  owned: 'ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST',
} as const;

const nextOf = (condition: string, order: string): string => `
  SELECT * FROM grants
   WHERE revoked_at IS NULL AND (created_at, id) < ($1::timestamptz, $2::uuid) ${condition}
   ${order} LIMIT ${LOOKED_AT_MOST}`;

const nextOfUser = (kind: string): string => nextOf(`AND user_id = $5 AND kind = '${kind}'`, ORDER.owned);

const NEXT = {
  anybody: nextOf('', ORDER.anybody),
  client: nextOf('AND client_id = $5', ORDER.owned),
  login: nextOfUser('login'),
  api_key: nextOfUser('api_key'),
  user: `${['login', 'api_key', 'consent'].map((kind) => `(${nextOfUser(kind)})`).join(' UNION ALL ')}
    ${ORDER.owned} LIMIT ${LOOKED_AT_MOST}`,
} as const;

/**
 * At most `$4` living grants after the position `$1, $2`, newest first. Grants that are revoked in their own row are
 * not in the index and cost nothing. Grants that have expired, or that ended with all of their owner's, are skipped in
 * steps.
 */
export function livingGrants({ name, columns, join = '', of }: LivingGrants): Statement {
  const next = NEXT[of ?? 'anybody'];
  const order = of ? ORDER.owned : ORDER.anybody;
  return {
    name,
    text: `
      WITH page AS MATERIALIZED (
        SELECT ${columns}, ARRAY[g.created_at::text, g.id::text] AS position FROM (${next}) AS g ${join}
         WHERE (g.expires_at IS NULL OR g.expires_at > $3) AND NOT ${endedWithOwner('g')}
         ${order} LIMIT $4::int
      ), horizon AS (
        SELECT ARRAY[created_at::text, id::text] AS rest FROM (${next}) AS g
         WHERE (SELECT count(*) FROM page) < $4::int
         ${order} OFFSET ${LOOKED_AT_MOST - 1} LIMIT 1
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

/** After this many steps a page may be short. */
const STEPS_MOST = 10;

/** Reads one page. A page with fewer rows than `limit`, or without rows, may not be the last: only `rest` tells. */
export async function listLiving<R extends Positioned>(
  database: Database,
  living: Living,
  after: Position,
  limit: number,
): Promise<Part<R>> {
  const rows: R[] = [];
  let rest: Position | undefined = after;
  for (let step = 0; step < STEPS_MOST && rest && rows.length < limit; step += 1) {
    const part: Part<R> = await readStep<R>(database, living, rest, limit - rows.length);
    rows.push(...part.rows);
    ({ rest } = part);
  }
  return { rows, rest };
}

async function readStep<R extends Positioned>(
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
