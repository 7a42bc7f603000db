/** Of the characters that RFC 3986 knows: what browsers would read as something else is not among them. */
const SPELLING = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]{1,1000}$/;
/** RFC 8252 §7.1: a name that somebody owns, backwards. It has a dot, so it is no scheme that browsers know. */
const OWN_SCHEME = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:\//;
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/;
const LOOPBACK_NAMES = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * Whether answers may go there: HTTPS, this computer (RFC 8252 §7.3), or an app's own scheme (§7.1). Without fragment
 * (RFC 6749 §3.1.2), user or wildcard.
 */
export function isRedirectUri(text: string): boolean {
  if (!SPELLING.test(text) || text.includes('*') || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  if (protocol !== 'https:' && protocol !== 'http:') return OWN_SCHEME.test(text);
  // a host that is spelled in another way than it is read could deceive who compares
  const spelled = new RegExp(`^${protocol}//${escaped(hostname)}(?::\\d{1,5})?(?=[/?]|$)`);
  return spelled.test(text) && (protocol === 'https:' || LOOPBACK_NAMES.includes(hostname));
}

/**
 * Letter by letter (RFC 9700 §2.1), but for the port of a loopback address, which the system gives to an app anew each time
 * (RFC 8252 §7.3). For `localhost` that is not so: any name may be somebody's.
 */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (!isRedirectUri(uri)) return false;
  if (registered.includes(uri)) return true;
  const portless = withoutLoopbackPort(uri);
  return portless !== undefined && registered.some((one) => withoutLoopbackPort(one) === portless);
}

function withoutLoopbackPort(uri: string): string | undefined {
  return LOOPBACK.test(uri) ? uri.replace(LOOPBACK, '$1') : undefined;
}

function escaped(text: string): string {
  return text.replace(/[.[\]]/g, '\\$&');
}
