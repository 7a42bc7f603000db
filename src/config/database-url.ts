import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What `pg` would trip over, ignore or misread when it connects is said at the start, and never with the value. */

/** `allow` and `no-verify` are what the driver has beside those of libpq. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
/** For anything else the driver would speak without TLS and not say so. */
const SSL = ['true', '1', 'false', '0'];

export function postgresUrl(text: string): string {
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
  return text;
}

function checkParameters(text: string, port: string): void {
  const parameters = parametersOf(text);
  const ports = [port, ...parameters.getAll('port')].filter((one) => one !== '');
  if (!ports.every((one) => /^\d{1,5}$/.test(one) && Number(one) >= 1 && Number(one) <= 65_535))
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
