import type { Explanation, TokenFlaw } from '../../auth/tokens/token-explainer.js';
import type { TokenKind } from '../../auth/tokens/token-format.js';
import { facts, moment } from '../answer.js';

const KINDS: Record<TokenKind, string> = {
  access: 'an access token',
  refresh: 'a refresh token',
  api_key: 'an API key',
  client_secret: 'a client secret',
};

const WRONG_KIND: Partial<Record<TokenKind, string>> = {
  refresh: 'A refresh token is for POST /oauth/token only: an API refuses it.',
  client_secret: "A client secret is for a client's own authentication only: an API refuses it.",
};

const BOUND = 'Active: an API accepts it, but not as a bearer token: with a proof by its key (DPoP) only.';

/** The explanation for programs. Times in ISO 8601, UTC. */
export function jsonOf(explanation: Explanation, token: string): object {
  const { kind, format, expiresAt, flaws, facts } = explanation;
  return {
    active: flaws.length === 0,
    kind,
    format,
    expires_at: expiresAt === null ? null : new Date(expiresAt * 1_000).toISOString(),
    reasons: flaws.map((flaw) => ({ reason: flaw, description: flawText(flaw, explanation, token) })),
    ...(facts && {
      token_id: facts.token_id,
      issued_at: facts.created_at,
      scope: facts.scope,
      audience: facts.audience,
      ...(facts.jkt !== null && { jkt: facts.jkt }),
      ...(facts.actors && { actors: facts.actors }),
      revoked_at: facts.revoked_at,
      user_id: facts.user_id,
      username: facts.username,
      client_id: facts.client_id,
      owner_disabled: facts.owner_disabled_at !== null,
      grant_id: facts.grant_id,
      grant_kind: facts.grant_kind,
      grant_expires_at: facts.grant_expires_at,
      grant_revoked_at: facts.grant_revoked_at,
      grant_revoked_reason: facts.grant_revoked_reason,
    }),
  };
}

export function textOf(explanation: Explanation, token: string): string {
  const { flaws } = explanation;
  const verdict =
    flaws.length === 0
      ? [explanation.facts?.jkt ? BOUND : 'Active: an API accepts it.']
      : flaws.map((flaw) => `Refused: ${flawText(flaw, explanation, token)}`);
  const known = described(explanation);
  return [...(known === '' ? [] : [known, '']), ...verdict].join('\n');
}

function described({ kind, format, expiresAt, facts: row }: Explanation): string {
  if (kind === null) return '';
  return facts([
    ['It is', `${KINDS[kind]}${format === 'jwt' ? ' (a JWT)' : ''}`],
    ['issued', time(row?.created_at)],
    ['expires', expiresAt === null ? 'never' : moment(new Date(expiresAt * 1_000))],
    ['user', row?.username && `${row.username} (${row.user_id})`],
    ['client', row?.client_id],
    ['who acts', row?.actors?.join(', for ')],
    ['owner disabled', time(row?.owner_disabled_at)],
    ['scope', row?.scope],
    ['audience', row?.audience],
    ['bound to key', row?.jkt],
    ['token id', row?.token_id],
    ['grant', row?.grant_id && `${row.grant_kind} ${row.grant_id}`],
    ['grant expires', time(row?.grant_expires_at)],
  ]);
}

/** @param token looked at for the likeliest mistake in its spelling, and never repeated */
export function flawText(
  flaw: TokenFlaw,
  { kind, expiresAt, facts: row }: Explanation,
  token: string,
): string {
  const by = row?.revoked_by ? ` by ${row.revoked_by}` : '';
  const texts: Record<TokenFlaw, string> = {
    spelling: `It is not spelled like a token of Keks: ${spellingMistake(token)}`,
    checksum: 'Its checksum does not fit: a character was changed or lost on the way. Copy it again.',
    key: 'It was made with another SECRET_KEY: by another authority, or before the key was changed (see SECRET_KEY_PREVIOUS).',
    mac: 'Its MAC is forged: whoever made it did not have the SECRET_KEY.',
    malformed: 'It is no JWT of this authority: its form, its algorithm or one of its claims is not ours.',
    forged:
      'It was not signed by this authority: its key is unknown or retired, its signature does not fit, or its issuer is not ISSUER.',
    wrong_kind: (kind && WRONG_KIND[kind]) ?? 'An API refuses tokens of this kind.',
    unknown:
      'It is genuine, but the database does not know it: was a backup restored, or is DATABASE_URL another one?',
    revoked: `It was revoked${at(row?.revoked_at)}${by}.`,
    used: `It was used${at(row?.used_at)}: a refresh token works once.`,
    grant_revoked: `Its grant was revoked${at(row?.grant_revoked_at)}${by}: ${row?.grant_revoked_reason ?? 'no reason was noted'}.`,
    source_revoked: `A token that it was made from was revoked${at(row?.source_revoked_at)}.`,
    actor_ended: `What a client acts by in it was revoked${at(row?.actor_ended_at)}: see "keks audit --client".`,
    expired: `It expired${at(expiresAt === null ? null : new Date(expiresAt * 1_000))}.${row ? '' : ' Nothing more is known of it: its record may have been purged.'}`,
    grant_expired: `Its grant expired${at(row?.grant_expires_at)}.`,
  };
  return texts[flaw];
}

function time(date: Date | null | undefined): string | null {
  return date ? moment(date) : null;
}

function at(date: Date | null | undefined): string {
  return date ? ` at ${moment(date)}` : '';
}

const LENGTH = 58;
const PREFIX = /^k(?:at|rt|ak|cs)_/;

/** The likeliest mistake in a pasted token. Never quotes any of it. */
function spellingMistake(text: string): string {
  if (/^\s|\s$/.test(text)) return 'there is white space around it.';
  if (/^bearer\s/i.test(text)) return 'it has the word Bearer in front: give the token alone.';
  if (/^authorization:/i.test(text)) return 'it is a whole header line: give the token alone.';
  if (/^(["']).*\1$/s.test(text)) return 'it is in quotation marks.';
  if (text.trimStart().startsWith('{')) return 'it is a JSON document: give the token alone.';
  if (/\s/.test(text)) return 'there is white space in it.';
  if (!PREFIX.test(text)) return 'it does not begin with kat_, krt_, kak_ or kcs_.';
  if (text.length !== LENGTH)
    return `it has ${text.length} characters instead of ${LENGTH}: was it cut, or is something stuck to it?`;
  return 'it has characters that no token has.';
}
