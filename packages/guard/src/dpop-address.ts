/**
 * The address of a request as callers know it (RFC 9449 §4.3, 9): it is put together from the configured public address, and
 * never from `Host`, which is whatever the sender wants it to be.
 */

/** What of a percent-encoding means the same without it (RFC 3986 §6.2.2.2). */
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
const CLIMBS = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Whether what names an API says where it is, too. */
export function isPlainAddress(text: string | undefined): text is string {
  return text !== undefined && /^https?:\/\/[^?#@\s]+$/.test(text) && URL.canParse(text);
}

/** @returns scheme, host, port and path before that of the request @throws TypeError for what is no such address */
export function publicBase(option: string, address: string): string {
  if (!URL.canParse(address)) throw new TypeError(`${option} must be an absolute URL.`);
  const { protocol, origin, pathname, search, hash, username, password } = new URL(address);
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError(`${option} must be http or https.`);
  if (search !== '' || hash !== '' || username !== '' || password !== '')
    throw new TypeError(`${option} must have no query, fragment, user or password in it.`);
  return origin + normalizedPath(pathname).replace(/\/$/, '');
}

/** Whether `htu` is the request's, query and fragment left out (RFC 9449 §4.3, RFC 3986 §6.2.2, §6.2.3). */
export function isAddress(htu: string, bases: readonly string[], target: string): boolean {
  const path = pathOf(target);
  if (path === undefined || !URL.canParse(htu)) return false;
  const { origin, pathname, username, password } = new URL(htu);
  if (username !== '' || password !== '') return false;
  const said = origin + normalizedPath(pathname);
  return bases.some((base) => said === base + path);
}

/**
 * Of a request line. One that climbs, or that a URL parser would read otherwise, is nobody's: a router may lead it elsewhere than
 * the address says that a proof is for.
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
