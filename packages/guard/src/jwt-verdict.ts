import { errors, type JWTPayload } from 'jose';
import { actorsOf, confirmedKey } from './introspection.js';
import type { RefusalReason, Validation } from './token-validator.js';

export type Refused = Extract<Validation, { readonly active: false }>;

const CLAIM_REASONS: Readonly<Record<string, RefusalReason>> = {
  typ: 'wrong_kind',
  iss: 'forged',
  aud: 'wrong_audience',
};

/**
 * Reads the claims of a JWT whose signature is true (RFC 9068 §2.2) as a verdict.
 * @param latestIssue the latest `iat` that is believed: seconds since the epoch
 */
export function verdictOf(
  { sub, jti, exp, iat, aud, ...claims }: JWTPayload,
  latestIssue: number,
): Validation {
  const { client_id: clientId, scope = '' } = claims;
  if (!isText(sub) || !isText(clientId) || !isText(jti) || typeof scope !== 'string' || !isTime(exp))
    return { active: false, reason: 'malformed' };
  if (!isTime(iat) || iat > latestIssue) return { active: false, reason: 'forged' };
  const jkt = confirmedKey(claims['cnf']);
  if (jkt === 'unknown') return { active: false, reason: 'malformed' };
  const actors = actorsOf(claims['act']);
  return {
    active: true,
    // several requests share this principal
    principal: Object.freeze({
      subject: sub,
      clientId,
      scope: Object.freeze(scope === '' ? [] : scope.split(' ')),
      audience: Object.freeze([aud ?? []].flat()),
      expiresAt: exp,
      tokenId: jti,
      ...(jkt !== undefined && { jkt }),
      ...(actors && { actors: Object.freeze(actors) }),
    }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Says why `jwtVerify` refused a token. It checks the signature first, so a refusal for a claim means a true signature.
 * @throws a fault that says nothing about the token
 */
export function refusalOf(fault: unknown, cameTo: string, now: number): Refused {
  const reason = reasonOf(fault);
  if (reason !== 'wrong_audience' || !(fault instanceof errors.JWTClaimValidationFailed))
    return { active: false, reason };
  const { aud, exp } = fault.payload;
  const tokenFor = [aud ?? []].flat();
  const good = isTime(exp) && exp * 1_000 > now && tokenFor.length > 0 && tokenFor.every(isText);
  if (!good) return { active: false, reason };
  return { active: false, reason, misaddressed: { tokenFor, cameTo } };
}

function reasonOf(fault: unknown): RefusalReason {
  if (fault instanceof errors.JWTExpired) return 'expired';
  if (fault instanceof errors.JWTClaimValidationFailed) return CLAIM_REASONS[fault.claim] ?? 'malformed';
  if (fault instanceof errors.JWTInvalid || fault instanceof errors.JWSInvalid) return 'malformed';
  if (fault instanceof errors.JOSEError) return 'forged';
  throw fault;
}
