/** Only characters of RFC 3986, because browsers read others in their own way. */
const SPELLING = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]{1,1000}$/;
/** RFC 8252 §7.1: a domain name backwards. It has a dot, so no browser knows it as a scheme. */
const OWN_SCHEME = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:\//;
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/;
/** Names and addresses that there are; a URL may have other characters in its host. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;
const LOOPBACK_NAMES = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * Whether answers may go there: HTTPS, the user's own computer (RFC 8252 §7.3), or an app's own scheme (§7.1). Without
 * fragment (RFC 6749 §3.1.2), user or wildcard.
 */
export function isRedirectUri(text: string): boolean {
  if (!SPELLING.test(text) || text.includes('*') || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  if (protocol !== 'https:' && protocol !== 'http:') return OWN_SCHEME.test(text);
  if (!HOST.test(hostname)) return false;
  // a host that is read differently than it is spelled could deceive a person who compares it
  const spelled = new RegExp(`^${protocol}//${escaped(hostname)}(?::\\d{1,5})?(?=[/?]|$)`);
  return spelled.test(text) && (protocol === 'https:' || LOOPBACK_NAMES.includes(hostname));
}

/**
 * Compares letter by letter (RFC 9700 §2.1), except for the port of a loopback address, because the system gives an app a new
 * one each time (RFC 8252 §7.3). The port of `localhost` is compared, because a name can lead anywhere.
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
