const OPENID = 'https://schemas.openid.net/secevent';

/**
 * The events that receivers are told of, by the last part of their URI. They are event types of the OpenID Foundation
 * where one fits (CAEP, RISC, OAuth events), and one type of the authority's own.
 */
const URIS = {
  'session-revoked': `${OPENID}/caep/event-type/session-revoked`,
  'token-revoked': `${OPENID}/oauth/event-type/token-revoked`,
  'tokens-revoked': `${OPENID}/oauth/event-type/tokens-revoked`,
  'credential-change': `${OPENID}/caep/event-type/credential-change`,
  'credential-compromise': `${OPENID}/risc/event-type/credential-compromise`,
  'account-disabled': `${OPENID}/risc/event-type/account-disabled`,
  'client-disabled': `${OPENID}/oauth/event-type/client-disabled`,
  'login-throttled': undefined,
} as const;

export type EventName = keyof typeof URIS;

/** All events that a receiver can ask for. */
export const EVENT_NAMES = Object.keys(URIS) as [EventName, ...EventName[]];

/** An operator has it sent to see whether a receiver takes events. */
export const VERIFICATION = 'verification';
const VERIFICATION_URI = `${OPENID}/ssf/event-type/verification`;

export function isEventName(text: string): text is EventName {
  return Object.hasOwn(URIS, text);
}

export function eventUri(event: EventName | typeof VERIFICATION, issuer: string): string {
  if (event === VERIFICATION) return VERIFICATION_URI;
  return URIS[event] ?? `${issuer}/event-type/${event}`;
}
