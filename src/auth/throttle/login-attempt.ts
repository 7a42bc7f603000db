import { createHash } from 'node:crypto';
import { networkOf } from '../../http/network.js';
import type { AttemptCounters, CounterKey } from './attempt-counters.js';

export interface LoginAttempt {
  /** The folded name, whether or not anybody has it. */
  readonly account: string;
  readonly isSomebody: boolean;
  readonly ip: string;
  /** As it was sent. */
  readonly proof: string | undefined;
}

/** What the proof has shown: an id. */
export interface ReadAttempt extends LoginAttempt {
  readonly device: string | undefined;
}

/** Failures in a row are counted in separate parts, the most trusted first. */
export const ROWS = ['device', 'known', 'stranger'] as const;

export interface AttemptKeys {
  /** Account and device, or account and network. */
  readonly own: CounterKey;
  readonly address: CounterKey;
  readonly known: CounterKey;
  readonly addresses: CounterKey;
  readonly logins: CounterKey;
  readonly rows: Readonly<Record<(typeof ROWS)[number], CounterKey>>;
}

/** Counts that never expire must be bounded, so unknown names share this many. */
const NOBODIES = 65_536;

export function keysOf(counters: AttemptCounters, attempt: ReadAttempt): AttemptKeys {
  const { account, isSomebody, ip, device } = attempt;
  const network = networkOf(ip);
  const whose = isSomebody ? [account] : ['nobody', nobodys(account)];
  return {
    own:
      device === undefined ? counters.key('pair', account, network) : counters.key('device', account, device),
    address: counters.key('address', network),
    known: counters.key('known', account, network),
    addresses: counters.key('addresses', account),
    logins: counters.key('logins', account),
    rows: {
      device: counters.key('row', 'device', ...whose),
      known: counters.key('row', 'known', ...whose),
      stranger: counters.key('row', 'stranger', ...whose),
    },
  };
}

/** Otherwise a count that never expires for users only would show, after a day, which names exist. */
function nobodys(account: string): string {
  return String(createHash('sha256').update(account).digest().readUInt32BE() % NOBODIES);
}
