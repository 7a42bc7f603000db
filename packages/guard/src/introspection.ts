import { NoVerdict } from './no-verdict.js';
import type { Validation } from './token-validator.js';

/** SHA-256 in base64url (RFC 7638). */
const THUMBPRINT = /^[\w-]{43}$/;
const DEAD: Validation = { active: false, reason: 'inactive' };
/**
 * The types of tokens that are good at an API. A refresh token is not good there; this authority describes one to its own client
 * only.
 */
const TYPES = /^(?:bearer|dpop)$/i;
/** Ory Hydra gives its refresh tokens the type bearer too: only `token_use` tells them apart. */
const ACCESS = 'access_token';

/**
 * Reads an introspection answer (RFC 7662 §2.2) as a verdict. The members that a principal is made of are optional in the RFC,
 * but not here: user, client, expiry and token id.
 * @throws NoVerdict bad_answer
 */
export function readIntrospection(body: string): Validation {
  const { active, token_type: type, token_use: use = ACCESS, cnf, act, ...answer } = jsonObject(body);
  if (active === false) return DEAD;
  if (active !== true) throw flawed('active');
  if (typeof type !== 'string' || !TYPES.test(type)) return { active: false, reason: 'wrong_kind' };
  if (use !== ACCESS) return { active: false, reason: 'wrong_kind' };
  const jkt = confirmedKey(cnf);
  // the token is bound in a way that is not known here, or should be bound and is not: nobody could tell its owner from a thief
  if (jkt === 'unknown' || (jkt === undefined && /^dpop$/i.test(type)))
    return { active: false, reason: 'wrong_kind' };
  const actors = actorsOf(act);
  return {
    active: true,
    principal: {
      subject: text(answer, 'sub'),
      clientId: text(answer, 'client_id'),
      scope: scopeOf(answer['scope']),
      audience: audienceOf(answer['aud']),
      expiresAt: seconds(answer, 'exp'),
      tokenId: text(answer, 'jti'),
      ...(jkt !== undefined && { jkt }),
      ...(actors && { actors }),
    },
  };
}

/** No authority lets tokens be exchanged so many times in a row. */
const ACTORS_MOST = 32;

/**
 * RFC 8693 §4.1: who acts now, who acted before, and so on, up to the first actor without a `sub`. Undefined if there is no
 * actor.
 */
export function actorsOf(act: unknown): string[] | undefined {
  const actors: string[] = [];
  for (let one = act; actors.length < ACTORS_MOST;) {
    const { sub, act: before } = (one ?? {}) as Record<string, unknown>;
    if (typeof sub !== 'string' || sub === '') break;
    actors.push(sub);
    one = before;
  }
  return actors.length > 0 ? actors : undefined;
}

/** RFC 7800 §3.1, RFC 9449 §6: the key that a token is bound to. */
export function confirmedKey(cnf: unknown): string | 'unknown' | undefined {
  if (cnf === undefined) return undefined;
  const { jkt, ...others } = (cnf ?? {}) as Record<string, unknown>;
  const isKnown = typeof jkt === 'string' && THUMBPRINT.test(jkt) && Object.keys(others).length === 0;
  return isKnown ? jkt : 'unknown';
}

/** Space-separated (RFC 6749 §3.3); absent if the token may do nothing. */
export function scopeOf(value: unknown): string[] {
  if (value === undefined || value === '') return [];
  if (typeof value !== 'string') throw flawed('scope');
  return value.split(' ');
}

/** One audience, or a list (RFC 7519 §4.1.3). */
export function audienceOf(value: unknown): string[] {
  const list: unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (!list.every((one) => typeof one === 'string')) throw flawed('aud');
  return list;
}

function jsonObject(body: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined; // not the parser's words: they quote what came in
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new NoVerdict('bad_answer', 'The answer of the introspection endpoint is no JSON object.');
  return parsed as Record<string, unknown>;
}

function text(answer: Record<string, unknown>, member: string): string {
  const value = answer[member];
  if (typeof value !== 'string' || value === '') throw flawed(member);
  return value;
}

function seconds(answer: Record<string, unknown>, member: string): number {
  const value = answer[member];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw flawed(member);
  return value;
}

function flawed(member: string): NoVerdict {
  return new NoVerdict(
    'bad_answer',
    `The introspection endpoint says an active token without a proper "${member}".`,
  );
}
