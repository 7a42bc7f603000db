import type { StoryEvent, StoryToken } from './token-story.schemas.js';
import type { StoryGrantRow, StoryRow } from './token-story.sql.js';

/** Of a token that was made from another one: what ended it elsewhere, and when. */
export interface EndsFromElsewhere {
  readonly 'token.source_revoked'?: Date | null;
  readonly 'token.actor_ended'?: Date | null;
}

/** From the audit log, and from what is no event of its own, to the sequence. Oldest first. */
export function storyEvents(
  rows: readonly StoryRow[],
  grant: StoryGrantRow | undefined,
  token: (Pick<StoryToken, 'id' | 'expires_at'> & { readonly ends?: EndsFromElsewhere }) | undefined,
  now: number,
): StoryEvent[] {
  const written = rows.map(eventOf);
  const ends = Object.entries(token?.ends ?? {}).flatMap(([what, at]) =>
    at ? [{ ...NOTHING, at: at.toISOString(), what, token_id: token?.id ?? null }] : [],
  );
  const events = [...written, ...unwrittenEnd(written, grant), ...ends, ...lastUse(grant)];
  const end = Math.min(...events.filter(isEnd(token?.id)).map(({ at }) => Date.parse(at)), now);
  const over = (what: string, at: string | null | undefined, tokenId: string | null): StoryEvent[] =>
    at && Date.parse(at) <= end ? [{ ...NOTHING, at, what, token_id: tokenId }] : [];
  events.push(
    ...over('token.expired', token?.expires_at, token?.id ?? null),
    ...over('grant.expired', grant?.expires_at?.toISOString(), null),
  );
  // a stable sort: events of the same time stay in the order of the log
  return events.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

const NOTHING = {
  by: null,
  ip: null,
  request_id: null,
  token_id: null,
  refresh_token_id: null,
  from_id: null,
  scope: null,
  expires_at: null,
  reason: null,
} as const;

/** Events that say themselves why something has ended. */
const REPLAYS: Readonly<Record<string, string>> = {
  'refresh.replayed': 'refresh_token_replayed',
  'code.replayed': 'code_replayed',
};

function eventOf({ created_at: at, type, actor, ip, request_id, token_id, detail }: StoryRow): StoryEvent {
  const given = text(detail['refresh_token_id']);
  const refreshed = type === 'token.refreshed' || type === 'token.refreshed_again';
  const from = refreshed ? given : text(detail['subject_token_id']);
  return {
    at: at.toISOString(),
    what: type,
    by: actor,
    ip,
    request_id,
    token_id,
    refresh_token_id: refreshed ? text(detail['successor_id']) : given,
    from_id: from,
    scope: text(detail['scope']),
    expires_at: isoTime(detail['expires_at']),
    reason: REPLAYS[type] ?? text(detail['reason']),
  };
}

/**
 * Revoking all after a restored backup writes one event for all grants, and so does an ending at first. The end of a single
 * grant is then in its row only.
 */
function unwrittenEnd(written: readonly StoryEvent[], grant: StoryGrantRow | undefined): StoryEvent[] {
  if (!grant?.revoked_at || written.some(({ what }) => ENDS.has(what))) return [];
  const { revoked_at: at, revoked_reason: reason } = grant;
  const by = reason === 'revoked_all' ? 'operator' : grant.ended_by;
  return [{ ...NOTHING, at: at.toISOString(), what: 'grant.revoked', by, reason }];
}

const ENDS = new Set([
  ...['grant.revoked', 'refresh.replayed', 'code.replayed'],
  ...['token.source_revoked', 'token.actor_ended'],
]);

function isEnd(tokenId: string | undefined): (event: StoryEvent) => boolean {
  return ({ what, token_id: id }) => ENDS.has(what) || (what === 'token.revoked' && id === tokenId);
}

function lastUse(grant: StoryGrantRow | undefined): StoryEvent[] {
  if (!grant?.last_used_at) return [];
  return [{ ...NOTHING, at: grant.last_used_at.toISOString(), what: 'grant.last_used' }];
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** As PostgreSQL writes a time into JSON, with its own offset. */
function isoTime(value: unknown): string | null {
  return typeof value === 'string' ? new Date(value).toISOString() : null;
}
