import { isIP } from 'node:net';
import { isEventName, type EventName } from './event-types.js';
import type { ReceiverRules } from './receiver-rules.js';

/** A receiver as the operator typed it. */
export interface NewReceiver {
  readonly name: string;
  readonly url: string;
  /** `url` if absent. */
  readonly audience?: string | undefined;
  /** All events if absent. */
  readonly events?: readonly string[] | undefined;
  /** The value of the `Authorization` header that Keks sends to the receiver. */
  readonly authorization?: string | undefined;
}

export type ReceiverFlaw =
  | 'name_invalid'
  | 'name_taken'
  | 'url_invalid'
  | 'audience_invalid'
  | 'events_invalid'
  | 'authorization_invalid'
  | 'too_many';

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const VISIBLE = /^[!-~]{1,1024}$/;
/** RFC 9110 §5.5: one line, so that nobody can add another header with it. */
const HEADER = /^[!-~](?:[ -~]{0,2046}[!-~])?$/;

/** @returns the first flaw; undefined if there is none */
export function receiverFlaw(
  { name, url, audience, events, authorization }: NewReceiver,
  rules: ReceiverRules,
): ReceiverFlaw | undefined {
  if (!NAME.test(name)) return 'name_invalid';
  if (!isReceiverUrl(url, rules)) return 'url_invalid';
  if (audience !== undefined && !VISIBLE.test(audience)) return 'audience_invalid';
  if (events && !areEvents(events)) return 'events_invalid';
  if (authorization !== undefined && !HEADER.test(authorization)) return 'authorization_invalid';
  return undefined;
}

function areEvents(events: readonly string[]): events is readonly EventName[] {
  return events.length > 0 && events.every(isEventName) && new Set(events).size === events.length;
}

/**
 * Whether the URL is allowed. An IP address in it is checked now and at each request. A host name is resolved and
 * checked only at each request.
 */
function isReceiverUrl(text: string, rules: ReceiverRules): boolean {
  if (!VISIBLE.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '' || text.includes('#')) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return rules.isAllowedAddress(host) && rules.isAllowedProtocol(protocol, host);
  return rules.isAllowedProtocol(protocol, '127.0.0.1');
}
