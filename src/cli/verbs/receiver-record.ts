import type { Initiator } from '../../auth/audit/actor.js';
import type { ReceiverFlaw } from '../../auth/receivers/new-receiver.js';
import type { Receivers } from '../../auth/receivers/receivers.js';
import type { ReceiverRow } from '../../auth/receivers/receivers.sql.js';
import type { WireErrorCode } from '../../http/errors/wire-error.js';
import { facts, moment } from '../answer.js';
import { Refusal } from '../refusal.js';

/** What is said of a receiver, and why there is none. */

export async function withReceivers<T>(
  work: (receivers: Receivers, by: Initiator) => Promise<T>,
): Promise<T> {
  const [{ withServices }, { Receivers }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/receivers/receivers.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services) => work(services.get(Receivers), { actor: 'operator', origin: OPERATOR }));
}

/** @throws Refusal */
export async function known(receivers: Receivers, which: string): Promise<ReceiverRow> {
  const receiver = await receivers.find(which);
  if (!receiver)
    throw new Refusal('not_found', 'There is no receiver of this name or id: see "keks receiver list".');
  return receiver;
}

const REFUSALS: Record<ReceiverFlaw, readonly [WireErrorCode, string | undefined, string]> = {
  name_invalid: [
    'invalid_request',
    'name',
    'A name has 1 to 40 lower-case letters, digits and hyphens, and no hyphen at either end.',
  ],
  name_taken: [
    'name_taken',
    'name',
    'There is a receiver of this name: remove it first, or choose another one.',
  ],
  url_invalid: [
    'invalid_request',
    'url',
    'An address is https, without user and fragment. Private addresses, and http there, need RECEIVERS_PRIVATE_ADDRESSES=true.',
  ],
  audience_invalid: ['invalid_request', 'audience', 'An audience has 1 to 1,024 visible ASCII characters.'],
  events_invalid: [
    'invalid_request',
    'event',
    'There is no such event, or it is given twice: see "keks receiver add --help".',
  ],
  authorization_invalid: [
    'invalid_request',
    'authorization',
    'What is sent in Authorization is one line of printable ASCII, 2,048 characters at most.',
  ],
  too_many: ['invalid_request', undefined, 'There are as many receivers as there may be: remove one first.'],
};

export function receiverRefusal(flaw: ReceiverFlaw): Refusal {
  const [code, parameter, message] = REFUSALS[flaw];
  return new Refusal(code, message, parameter === undefined ? {} : { parameter });
}

const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;

/** The same members as on the wire. */
export function publicOf(row: ReceiverRow): object {
  return {
    ...row,
    created_at: timeOf(row.created_at),
    oldest_at: timeOf(row.oldest_at),
    failing_since: timeOf(row.failing_since),
    delivered_at: timeOf(row.delivered_at),
    verified_at: timeOf(row.verified_at),
    lost_at: timeOf(row.lost_at),
  };
}

export function stateOf({ failing_since: since, delivered_at: last }: ReceiverRow): string {
  if (since) return `fails since ${moment(since)}`;
  return last ? 'takes what it is sent' : 'has been sent nothing';
}

export function textOf(row: ReceiverRow): string {
  return facts([
    ['id', row.id],
    ['name', row.name],
    ['url', row.url],
    ['audience', row.audience],
    ['events', row.events?.join(' ') ?? 'all'],
    ['authorization', row.has_authorization ? 'is sent' : 'none'],
    ['added', moment(row.created_at)],
    ['state', stateOf(row)],
    ['last error', row.last_error],
    ['undelivered', String(row.undelivered)],
    ['oldest', row.oldest_at && moment(row.oldest_at)],
    ['delivered', String(row.delivered)],
    ['last delivered', row.delivered_at && moment(row.delivered_at)],
    ['last verified', row.verified_at && moment(row.verified_at)],
    ['refused', String(row.refused)],
    ['given up', String(row.given_up)],
  ]);
}
