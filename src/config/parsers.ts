import { availableParallelism } from 'node:os';
import { cpuQuota } from './cpu-quota.js';
import { isGuessable } from './weak-secret.js';

/** Text -> value, one function for each kind of setting. Each throws an Error whose message completes "NAME ...". */

export function integer(low: number, high: number) {
  return (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (!(value >= low && value <= high)) throw new Error(`must be a whole number from ${low} to ${high}`);
    return value;
  };
}

/** What is written for each token, and tells of no attack. */
const MANY = ['token.issued', 'token.exchanged', 'token.refreshed', 'token.refreshed_again'];

/** `token.issued=1,token.refreshed=2`, in one spelling; empty for nothing. */
export function monthsByType(text: string): string {
  const entries = text === '' ? [] : text.split(',').map((entry) => entry.trim().split('='));
  const types = new Set(entries.map(([type]) => type));
  const right = entries.every(
    ([type = '', months = '', ...more]) =>
      MANY.includes(type) && /^[1-9]\d{0,2}$/.test(months) && more.length === 0,
  );
  if (!right || types.size < entries.length)
    throw new Error(`must be TYPE=MONTHS, separated by commas, each once: ${MANY.join(', ')}`);
  return entries
    .map((entry) => entry.join('='))
    .toSorted()
    .join(',');
}

const WORKERS_MOST = 64;

/** A number, or `auto`: one for each CPU that this process may use. */
export function workers(text: string): number {
  if (text === 'auto') return workersFor(availableParallelism(), cpuQuota());
  const value = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > WORKERS_MOST)
    throw new Error(`must be a whole number from 1 to ${WORKERS_MOST}, or auto`);
  return value;
}

/** With one worker more than the quota, the kernel would only stop all of them for the rest of each period. */
export function workersFor(cpus: number, quota: number): number {
  return Math.min(cpus, Math.max(1, Math.floor(quota)), WORKERS_MOST);
}

export function flag(text: string): boolean {
  const value = { true: true, '1': true, false: false, '0': false }[text];
  if (value === undefined) throw new Error('must be true, false, 1 or 0');
  return value;
}

const UNIT_SECONDS = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds, or a number with `s`, `m`, `h` or `d` behind it. */
export function duration(low: number, high: number) {
  return (text: string): number => {
    const match = /^(\d{1,9})([smhd]?)$/.exec(text);
    const value = match ? Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS] : NaN;
    if (!(value >= low && value <= high))
      throw new Error(
        `must be a duration from ${low} s to ${high} s: seconds, or a number with s, m, h or d`,
      );
    return value;
  };
}

/** 32 bytes or more in hex or base64url. Text that is both is taken as hex. */
export function secret(text: string): Buffer {
  const hex = /^(?:[0-9a-fA-F]{2})+$/.test(text);
  const base64url = /^[A-Za-z0-9_-]+$/.test(text) && text.length % 4 !== 1;
  const value = hex ? Buffer.from(text, 'hex') : base64url ? Buffer.from(text, 'base64url') : undefined;
  if (!value) throw new Error('must be hex or base64url: make one with "openssl rand -hex 32"');
  if (value.length < 32) throw new Error('must have 32 bytes at least: make one with "openssl rand -hex 32"');
  return value;
}

/** The key in use must be hard to guess. A former key is taken as it is, because it is being phased out. */
export function makingSecret(text: string): Buffer {
  const value = secret(text);
  if (isGuessable(text, value))
    throw new Error(
      'can be guessed: make one with "openssl rand -hex 32"; if Keks has run with this one, put it into SECRET_KEY_PREVIOUS while you rotate',
    );
  return value;
}

/** With more keys, every refused password and cursor would have to try each of them. */
const SECRETS_MOST = 16;

/** One or several, separated by commas or white space. */
export function secrets(text: string): readonly Buffer[] {
  const list = text.split(/[\s,]+/).filter((one) => one !== '');
  if (list.length === 0 || list.length > SECRETS_MOST)
    throw new Error(`must be 1 to ${SECRETS_MOST} keys, separated by commas`);
  return Object.freeze(list.map(secret));
}

export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are the point
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new Error('must be one line without control characters');
  return text;
}

/** What can stand in a challenge as a quoted string (RFC 9110 §5.6.4); clients compare it as bytes. */
export function realm(text: string): string {
  if (!/^[\x20-\x7e]+$/.test(text)) throw new Error('must be printable ASCII, as it stands in a header');
  return text;
}

export function loopbackOrHost(text: string): string {
  if (!/^[A-Za-z0-9.:_[\]-]+$/.test(text)) throw new Error('must be an IP address or a host name');
  return text;
}

/** Segments that every router and proxy reads alike: the path comes back in the addresses of the metadata. */
const PLAIN_PATH = /^https?:\/\/[^/]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)*$/i;

/** RFC 8414 §2: a URL without query and fragment. Kept exactly as written. */
export function issuer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    !url ||
    !['http:', 'https:'].includes(url.protocol) ||
    /[?#\s]/.test(text) ||
    url.username ||
    url.password
  )
    throw new Error(
      'must be an http or https URL without query, fragment and user, for example https://auth.example.com',
    );
  if (!text.startsWith(url.protocol)) throw new Error('must begin with http or https in lower case');
  if (text.endsWith('/')) throw new Error('must not end in a slash: clients compare it letter by letter');
  if (!PLAIN_PATH.test(text)) throw new Error('must have a path of letters, digits and -._~ only, or none');
  return text;
}

/** PostgreSQL would cut a longer one silently. */
export function schemaName(text: string): string {
  if (!/^[^\p{C}]+$/u.test(text) || Buffer.byteLength(text) > 63 || /^pg_|^information_schema$/.test(text))
    throw new Error('must be the name of a schema of your own, 63 bytes at most');
  return text;
}

function oneOf<const Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((one) => one === text);
    if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
    return word;
  };
}

export const logLevel = oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']);
export const logFormat = oneOf(['auto', 'json', 'text']);
export const registration = oneOf(['off', 'token', 'open']);
export const homePage = oneOf(['story', 'console', 'none']);

/** `https://app.example, https://other.example:8443`: scheme and authority, as browsers send them. */
export function origins(text: string): readonly string[] {
  const list = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  for (const one of list)
    if (!URL.canParse(one) || new URL(one).origin !== one)
      throw new Error('must be origins such as https://app.example, without a path, separated by commas');
  return Object.freeze(list);
}

/** The value is not repeated when it is refused: it may have a password in it. */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new Error('must be an http or https URL');
  return text;
}

/** The authority's own scopes, which no other program gets; and `offline_access`, which is a request and no permission. */
const NO_SCOPE_OF_APPS = /^(?:(?:keks|keys):.*|offline_access)$/;

/** Scopes as OAuth writes them (RFC 6749 §3.3), each of which a program that acts for people may have. */
export function scopesOfApps(text: string): readonly string[] {
  const list = [...new Set(text.split(/\s+/).filter((one) => one !== ''))];
  const isOne = (one: string): boolean =>
    /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(one) && !NO_SCOPE_OF_APPS.test(one);
  if (list.length > 100 || !list.every(isOne))
    throw new Error('must be scopes separated by spaces, none of them keks:*, keys:* or offline_access');
  return Object.freeze(list);
}

/** Absolute URIs without a fragment (RFC 8707 §2), compared letter by letter. */
export function resourceUris(text: string): readonly string[] {
  const list = [...new Set(text.split(/[\s,]+/).filter((one) => one !== ''))];
  const isOne = (one: string): boolean =>
    /^[!-~]{1,1000}$/.test(one) && URL.canParse(one) && !one.includes('#');
  if (list.length > 20 || !list.every(isOne))
    throw new Error('must be 20 absolute URIs at most, without fragments, separated by commas');
  return Object.freeze(list);
}
