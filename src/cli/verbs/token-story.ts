import type { Story, StoryEvent, StoryGrant, StoryToken } from '../../auth/story/token-story.schemas.js';
import { facts, moment, table, type Answer } from '../answer.js';
import { Refusal, WrongUsage } from '../refusal.js';
import { readSecret } from '../stdin.js';

const KINDS = { access: 'an access token', refresh: 'a refresh token', api_key: 'an API key' } as const;

const WHAT: Readonly<Record<string, string>> = {
  'token.issued': 'issued',
  'api_key.issued': 'API key made',
  'token.exchanged': 'exchanged for a token for another API',
  'token.refreshed': 'refreshed',
  'token.refreshed_again': 'refreshed again, the answer had been lost',
  'token.refused': 'refresh refused',
  'refresh.replayed': 'a used refresh token came back: everything ended',
  'token.revoked': 'revoked',
  'token.source_revoked': 'ended: a token that it was made from was revoked',
  'token.actor_ended': 'ended: a client that acts in it lost what it acted by',
  'grant.revoked': 'ended, with all of its tokens',
  'grant.last_used': 'last used',
  'token.expired': 'expired',
  'grant.expired': 'expired, with all of its tokens',
};

/**
 * Prints the life of a token or a grant as a sequence of events.
 * @param id of either; the token itself comes on standard input
 */
export async function story(id: string | undefined): Promise<Answer> {
  const told = id === undefined || id === '-' ? await ofToken() : await ofId(id);
  if (!told)
    throw new Refusal(
      'not_found',
      'Nothing is known of it: "keks token explain" says what it is; "keks grant list" and "keks audit" show ids.',
    );
  return { json: told, text: textOf(told) };
}

async function ofToken(): Promise<Story | undefined> {
  const text = await readSecret('the token');
  const [{ withServices }, { TokenStory }] = await load();
  return withServices((services) => services.get(TokenStory).ofToken(text));
}

/** @throws WrongUsage */
async function ofId(id: string): Promise<Story | undefined> {
  const { isUuid } = await import('../../auth/uuid.js');
  // not repeated: it may be a token, which is now in the shell's history
  if (!isUuid(id))
    throw new WrongUsage('That is no id. A token is never an argument: give it on standard input.');
  const [{ withServices }, { TokenStory }] = await load();
  return withServices((services) => services.get(TokenStory).ofId(id.toLowerCase()));
}

function load() {
  return Promise.all([import('../services.js'), import('../../auth/story/token-story.js')]);
}

function textOf({ token, grant, events, complete }: Story): string {
  const rows = events.map((event) => [
    time(event.at) ?? '',
    WHAT[event.what] ?? event.what,
    event.by ?? '',
    event.ip ?? '',
    tokensOf(event),
    event.reason ?? '',
  ]);
  const omitted = complete ? [] : ['', 'There are more events after the first: see "keks audit --grant".'];
  return [
    facts([...aboutToken(token), ...aboutGrant(grant)]),
    '',
    table(['TIME', 'WHAT', 'BY', 'FROM', 'TOKENS', 'WHY'], rows),
    ...omitted,
  ].join('\n');
}

function aboutToken(token: StoryToken | undefined): [string, string | null][] {
  if (!token) return [];
  const { id, kind, expires_at: expiresAt, refused_because: reasons } = token;
  const now = reasons && (reasons.length === 0 ? 'alive' : `refused: ${reasons.join(', ')}`);
  return [
    ['It is', `${kind ? KINDS[kind] : 'a token'} (${id})`],
    ['now', now],
    ['expires', time(expiresAt)],
  ];
}

function aboutGrant(grant: StoryGrant | undefined): [string, string | null][] {
  if (!grant) return [['grant', 'was removed after its end']];
  return [
    ['grant', `${grant.kind} ${grant.id}`],
    ['of', grant.username ?? grant.client_id],
    ['label', grant.label],
    ['began at', grant.ip],
    ['with', grant.user_agent],
    ['scope', grant.scope],
    ['grant expires', time(grant.expires_at)],
  ];
}

/** The beginnings of ids: the whole ones are in --json. */
function tokensOf({ what, token_id: token, refresh_token_id: refresh, from_id: from }: StoryEvent): string {
  const given = [token && short(token), refresh && `refresh ${short(refresh)}`].filter(Boolean).join(', ');
  if (!from) return given;
  return `${what === 'token.exchanged' ? '' : 'refresh '}${short(from)} -> ${given}`;
}

function short(id: string): string {
  return id.slice(0, 8);
}

function time(at: string | null): string | null {
  return at && moment(new Date(at));
}
