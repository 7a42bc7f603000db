const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * The address of a server that gets tokens or gives keys: it must use TLS (RFC 6750 §5.3, RFC 7662 §4), except on this same
 * machine.
 * @param option the name of the option, for the message
 * @throws TypeError for any other address
 */
export function trustedEndpoint(option: string, address: string | URL, allowHttp: boolean): URL {
  if (!URL.canParse(String(address))) throw new TypeError(`${option} must be an absolute URL.`);
  const url = new URL(address);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw new TypeError(`${option} must have no user, password or fragment in it.`);
  const isPlain = url.protocol === 'http:';
  if (isPlain && !allowHttp && !LOOPBACK.test(url.hostname))
    throw new TypeError(`${option} must be https: plain http is for loopback, or with allowHttp.`);
  if (!isPlain && url.protocol !== 'https:') throw new TypeError(`${option} must be https.`);
  return url;
}

/** @throws RangeError if a number that somebody configured makes no sense */
export function withinRange(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${option} must be a whole number from ${least} to ${most}.`);
}
