import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Complains at the start about everything in the URL that `pg` would fail on, ignore or misread, and never quotes a value. */

/** `allow` and `no-verify` are what the driver has beside those of libpq. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
/** For anything else the driver would speak without TLS and not say so. */
const SSL = ['true', '1', 'false', '0'];

/** Keks needs the primary anyway; with one host, `any` means the same. */
const SESSION_ATTRIBUTES = ['read-write', 'primary', 'any'];

export function postgresUrl(text: string): string {
  // a URL parser takes it off, and the driver reads the whole as a file or as the name of a database
  if (text !== text.trim()) throw new Error('must not begin or end with a blank');
  const { url: one, places } = hostsOf(text);
  if (places.some(({ host, port }) => host === '' || !isPort(port)))
    throw new Error('must have a host, and a port from 1 to 65535 or none, on each side of a comma');
  if (
    !parametersOf(text)
      .getAll('target_session_attrs')
      .every((one) => SESSION_ATTRIBUTES.includes(one))
  )
    throw new Error(
      'must have target_session_attrs=read-write, or none: only a primary can say who is revoked',
    );
  checkUrl(one);
  return text;
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const socket = /^postgres(?:ql)?:\/\/[^/@]*@\//.test(text);
  if (!socket && !(url && ['postgres:', 'postgresql:'].includes(url.protocol)))
    throw new Error('must be a URL such as postgresql://user:password@host:5432/keks');
  if (/[?&]synchronize=/i.test(text))
    throw new Error('must not ask for synchronize: the schema changes by migrations only');
  // the driver takes a lone % for itself, but only if there is no escape beside it
  if (/%[0-9a-f]{2}/i.test(text) && (/\s/.test(text) || decoded(text) === undefined))
    throw new Error(
      'must have escapes of UTF-8 only: write a % in it as %25, a space as %20, and ä as %C3%A4, for example',
    );
  checkParameters(text, url?.port ?? '');
}

export interface Hosts {
  /** The same with the first host alone, as everybody reads it. */
  readonly url: string;
  /** None where there is one host: it is in the URL. */
  readonly places: readonly { readonly host: string; readonly port: number }[];
}

const AUTHORITY = /^(postgres(?:ql)?:\/\/(?:[^/@?#]*@)?)([^/?#]*)([^]*)$/;

/** Several hosts as libpq takes them: `a:5432,b:5433` before the path, or `?host=/one,/two`. */
export function hostsOf(text: string): Hosts {
  const [, before = '', hosts = '', after = ''] = AUTHORITY.exec(text) ?? [];
  if (hosts.includes(',')) {
    const places = hosts.split(',').map((one) => {
      const [, host = '', port = '5432'] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(one) ?? [];
      return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
    });
    return { url: before + (hosts.split(',')[0] ?? '') + after, places };
  }
  const [, path = '', query = ''] = /^([^?]*)\??([^]*)$/.exec(text) ?? [];
  const parameters = new URLSearchParams(query);
  const named = (parameters.get('host') ?? '').split(',');
  if (named.length === 1) return { url: text, places: [] };
  const ports = (parameters.get('port') ?? '5432').split(',');
  const places = named.map((host, at) => ({ host, port: Number(ports[at] ?? ports[0]) }));
  parameters.set('host', named[0] ?? '');
  parameters.set('port', ports[0] ?? '');
  return { url: `${path}?${parameters}`, places };
}

function checkParameters(text: string, port: string): void {
  const parameters = parametersOf(text);
  const ports = [port, ...parameters.getAll('port')].filter((one) => one !== '');
  if (!ports.every((one) => /^\d{1,5}$/.test(one) && isPort(Number(one))))
    throw new Error('must have a port from 1 to 65535, or none');
  if (!parameters.getAll('sslmode').every((mode) => SSL_MODES.includes(mode)))
    throw new Error('must have one of these as sslmode: disable, prefer, require, verify-ca, verify-full');
  if (!parameters.getAll('ssl').every((one) => SSL.includes(one)))
    throw new Error('must have ssl=true or ssl=false, or sslmode=verify-full instead');
  const libpq = parameters.get('uselibpqcompat') === 'true';
  if (libpq && parameters.get('sslmode') === 'verify-ca' && !parameters.get('sslrootcert'))
    throw new Error(
      'must have a file in sslrootcert with sslmode=verify-ca: name it, or say sslmode=verify-full',
    );
}

/** The files that it names, as they are now: a line for each that cannot be used. */
export function databaseUrlFlaws(url: string): string[] {
  const parameters = parametersOf(url);
  const flaws: string[] = [];
  for (const [name, parse] of Object.entries(FILES)) {
    const file = parameters.getAll(name).at(-1);
    if (!file) continue;
    const flaw = file === 'system' ? SYSTEM[name] : undefined;
    const found = flaw ?? fileFlaw(file, parse);
    if (found !== undefined) flaws.push(`DATABASE_URL names a file in ${name} that ${found}.`);
  }
  return flaws;
}

const FILES: Readonly<Record<string, (pem: Buffer) => unknown>> = {
  sslrootcert: (pem) => new X509Certificate(pem),
  sslcert: (pem) => new X509Certificate(pem),
  sslkey: (pem) => createPrivateKey(pem),
};

const SYSTEM: Readonly<Record<string, string>> = {
  sslrootcert:
    'only libpq knows: leave sslrootcert out, and sslmode=verify-full believes the authorities that Node knows',
};

function fileFlaw(file: string, parse: (pem: Buffer) => unknown): string | undefined {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return `cannot be read (${code}): correct the path, or give this user the right to read it`;
  }
  try {
    parse(pem);
    return undefined;
  } catch {
    return 'is not what it should be: it must be PEM, and a key must have no passphrase';
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function parametersOf(text: string): URLSearchParams {
  return new URLSearchParams(/\?([^#]*)/.exec(text)?.[1] ?? '');
}

/** Its value is used, or a bundler takes the call for one without effect. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
