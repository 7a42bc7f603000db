import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { TokenExplainer } from '../tokens/token-explainer.js';
import { storyEvents, type EndsFromElsewhere } from './story-events.js';
import type { Story, StoryEvent, StoryGrant, StoryToken } from './token-story.schemas.js';
import * as sql from './token-story.sql.js';

/** What is known of a token before its events are read. */
interface Subject {
  readonly grantId: string;
  readonly token: StoryToken | undefined;
  readonly ends?: EndsFromElsewhere;
}

/**
 * Owns the life of a token, told from the audit log and its grant: who got it from where, what became of it, why it is
 * refused. It only reads, and shows ids, never a token.
 */
@Injectable()
export class TokenStory {
  constructor(
    private readonly explainer: TokenExplainer,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns undefined if nothing is known of it, or it is a client secret @throws Unavailable */
  async ofToken(text: string): Promise<Story | undefined> {
    const { kind, expiresAt, flaws, facts } = await this.explainer.explain(text);
    if (!facts?.grant_id || kind === null || kind === 'client_secret') return undefined;
    const token = {
      id: facts.token_id,
      kind,
      expires_at: expiresAt === null ? null : new Date(expiresAt * 1_000).toISOString(),
      // that an API refuses refresh tokens is about the kind of token, not about its life
      refused_because: flaws.filter((flaw) => flaw !== 'wrong_kind'),
    };
    const { source_revoked_at: revoked, actor_ended_at: ended } = facts;
    const ends = { 'token.source_revoked': revoked, 'token.actor_ended': ended };
    return this.tell({ grantId: facts.grant_id, token, ends });
  }

  /** @param id of a token or a grant, lower case @returns undefined if nothing is known of it @throws Unavailable */
  async ofId(id: string): Promise<Story | undefined> {
    const [found] = await this.database.run<sql.FoundRow>(sql.FIND_BY_ID, [id]);
    if (!found) return undefined;
    const { grant_id: grantId, token_id: tokenId } = found;
    const token =
      tokenId === null ? undefined : { id: tokenId, kind: null, expires_at: null, refused_because: null };
    return this.tell({ grantId, token });
  }

  private async tell({ grantId, token, ends = {} }: Subject): Promise<Story> {
    const [grant] = await this.database.run<sql.StoryGrantRow>(sql.STORY_GRANT, [grantId]);
    const tokenId = token?.id ?? null;
    const rows =
      grant?.kind === 'client' && tokenId !== null
        ? await this.database.run<sql.StoryRow>(sql.STORY_OF_CLIENT_TOKEN, [
            grantId,
            tokenId,
            grant.revoked_at,
          ])
        : await this.database.run<sql.StoryRow>(sql.STORY_OF_GRANT, [grantId, tokenId]);
    const known = token && { ...token, ...learned(token, storyEvents(rows, undefined, undefined, 0)) };
    return {
      ...(known && { token: known }),
      ...(grant && { grant: wireGrant(grant) }),
      events: storyEvents(rows, grant, known && { ...known, ends }, this.clock.now()),
      complete: rows.length <= sql.EVENTS_MOST,
    };
  }
}

const KINDS: Readonly<Record<string, StoryToken['kind']>> = {
  'token.issued': 'access',
  'token.exchanged': 'access',
  'token.refreshed': 'access',
  'token.refreshed_again': 'access',
  'token.revoked': 'access',
  'api_key.issued': 'api_key',
};

/** If only the id was given: what the event of its issue says. */
function learned(
  { id, kind, expires_at: expiresAt }: StoryToken,
  events: readonly StoryEvent[],
): Pick<StoryToken, 'kind' | 'expires_at'> {
  const own = events.find((event) => event.token_id === id && event.what in KINDS);
  const isRefresh = events.some(
    ({ what, refresh_token_id: given, from_id: from }) =>
      given === id || (from === id && what !== 'token.exchanged'),
  );
  return {
    kind: kind ?? (isRefresh ? 'refresh' : ((own && KINDS[own.what]) ?? null)),
    expires_at: expiresAt ?? own?.expires_at ?? null,
  };
}

function wireGrant(row: sql.StoryGrantRow): StoryGrant {
  const { created_at, last_used_at, expires_at, revoked_at, ended_by: _, ...grant } = row;
  return {
    ...grant,
    created_at: created_at.toISOString(),
    last_used_at: last_used_at?.toISOString() ?? null,
    expires_at: expires_at?.toISOString() ?? null,
    revoked_at: revoked_at?.toISOString() ?? null,
  };
}
