import { hostsOf } from './database-url.js';
import { isLoopback } from './loopback.js';

/** What protects the connection to the database: it stays on this machine, a certificate is checked, or nothing does. */
export type DatabaseLink = 'local' | 'verified' | 'unverified' | 'plain';

export const LINKS: Readonly<Record<DatabaseLink, string>> = {
  local: 'on this machine',
  verified: 'TLS, and the certificate is checked',
  unverified: 'TLS, but the certificate is not checked: whoever is in between can read and change everything',
  plain: 'no TLS: whoever is in between can read and change everything',
};

interface Connection {
  readonly host?: string | null | undefined;
  readonly ssl?: unknown;
  /** Of several hosts the one that is farthest away counts. */
  readonly way?: { readonly places: readonly { readonly host: string }[] } | undefined;
}

/** @param connection as the driver takes it */
export function databaseLink({ host, ssl, way }: Connection): DatabaseLink {
  const hosts = way && way.places.length > 0 ? way.places.map((place) => place.host) : [host];
  if (hosts.every((one) => !one || one.startsWith('/') || isLoopback(one))) return 'local';
  if (!ssl) return 'plain';
  if (typeof ssl !== 'object') return 'verified';
  // if nobody compares the name, anybody with any certificate of that authority can be in between
  const checked = !('rejectUnauthorized' in ssl && ssl.rejectUnauthorized === false);
  return checked && !('checkServerIdentity' in ssl) ? 'verified' : 'unverified';
}

/** With any of these, the driver speaks TLS, or somebody has said that it need not. */
const SAID = /[?&](?:ssl|sslmode|sslcert|sslkey|sslrootcert)=/;

/** Nobody has said that it may be without TLS, and it is not on this machine. @param url one that is well-formed */
export function databaseLinkFlaw(url: string): string | undefined {
  const { url: one, places } = hostsOf(url);
  if (SAID.test(url) || databaseLink({ host: hostOf(one), way: { places } }) === 'local') return undefined;
  return 'DATABASE_URL must say how the way to the database is protected beyond this machine: sslmode=verify-full, or sslmode=disable if you know that nobody can be in between.';
}

/** The driver reads it so, too; settings are judged without it, because the command line starts sooner. */
function hostOf(url: string): string {
  if (!URL.canParse(url)) return '';
  const { hostname, searchParams } = new URL(url);
  return searchParams.get('host') ?? decodeURIComponent(hostname);
}
