/**
 * The address of a request as callers know it (RFC 9449 §4.3, 9). It is made from the configured public address, never from
 * `Host`, because the sender can write anything there.
 */

/** Characters that mean the same with and without percent-encoding (RFC 3986 §6.2.2.2). */
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
const CLIMBS = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Whether the name of an API is also its address. */
export function isPlainAddress(text: string | undefined): text is string {
  return text !== undefined && /^https?:\/\/[^?#@\s]+$/.test(text) && URL.canParse(text);
}

/**
 * @returns scheme, host, port and the path that stands before the path of the request @throws TypeError for what is no such
 * address
 */
export function publicBase(option: string, address: string): string {
  if (!URL.canParse(address)) throw new TypeError(`${option} must be an absolute URL.`);
  const { protocol, origin, pathname, search, hash, username, password } = new URL(address);
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError(`${option} must be http or https.`);
  if (search !== '' || hash !== '' || username !== '' || password !== '')
    throw new TypeError(`${option} must have no query, fragment, user or password in it.`);
  return origin + normalizedPath(pathname).replace(/\/$/, '');
}

/** Whether `htu` is the address of the request, without query and fragment (RFC 9449 §4.3, RFC 3986 §6.2.2, §6.2.3). */
export function isAddress(htu: string, bases: readonly string[], target: string): boolean {
  const path = pathOf(target);
  if (path === undefined || !URL.canParse(htu)) return false;
  const { origin, pathname, username, password } = new URL(htu);
  if (username !== '' || password !== '') return false;
  const said = origin + normalizedPath(pathname);
  return bases.some((base) => said === base + path);
}

/**
 * The path in a request line. Undefined for a path that climbs, or that a URL parser would read in another way: a router may lead
 * such a request to another address than the proof names.
 */
function pathOf(target: string): string | undefined {
  const path = normalizedPath(/^[^?#]*/.exec(target)?.[0] ?? '');
  return path.startsWith('/') && !CLIMBS.test(path) && /^[!-~]+$/.test(path) && !path.includes('\\')
    ? path
    : undefined;
}

function normalizedPath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9A-Fa-f]{2})/g, (encoded, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
}
