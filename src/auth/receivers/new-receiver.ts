import { isIP } from 'node:net';
import { isEventName, type EventName } from './event-types.js';
import type { ReceiverRules } from './receiver-rules.js';

/** As it was typed. */
export interface NewReceiver {
  readonly name: string;
  readonly url: string;
  /** The address, if it is not said. */
  readonly audience?: string | undefined;
  /** All, if it is not said. */
  readonly events?: readonly string[] | undefined;
  /** What to send in the header of this name. */
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
/** RFC 9110 §5.5: one line that no header can be added to. */
const HEADER = /^[!-~](?:[ -~]{0,2046}[!-~])?$/;

/** @returns undefined if it will do */
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

/** What a name leads to is looked at each time that something is sent there; an address that stands there, now, too. */
function isReceiverUrl(text: string, rules: ReceiverRules): boolean {
  if (!VISIBLE.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '' || text.includes('#')) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return rules.isAllowedAddress(host) && rules.isAllowedProtocol(protocol, host);
  return rules.isAllowedProtocol(protocol, '127.0.0.1');
}
