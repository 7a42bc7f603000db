/** What an API does that verifies a JWT by itself (RFC 9068 §4), with the browser's own cryptography. */

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export function decode(token) {
  const [header, payload] = token.split('.');
  return { header: jsonOf(header), payload: jsonOf(payload) };
}

/**
 * @param jwks the authority's public keys
 * @returns one line for each check; `true` is only what really holds
 */
export async function verify(token, jwks) {
  const { header, payload } = decode(token);
  const key = jwks.keys.find((one) => one.kid === header.kid);
  const seconds = Math.floor(payload.exp - Date.now() / 1_000);
  return [
    { text: `alg is ES256, and nothing else is taken`, holds: header.alg === 'ES256' },
    { text: `typ is at+jwt, an access token`, holds: header.typ === 'at+jwt' },
    { text: `kid ${header.kid} is one of the authority’s keys`, holds: key !== undefined },
    await signature(token, key),
    { text: `iss is ${payload.iss}`, holds: typeof payload.iss === 'string' },
    {
      text: `aud is ${payload.aud}, which must be the API’s own name`,
      holds: typeof payload.aud === 'string',
    },
    { text: `exp is ${duration(seconds)} away`, holds: seconds > 0 },
  ];
}

export function duration(seconds) {
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`;
}

async function signature(token, key) {
  // browsers give cryptography to pages from HTTPS or from this machine only
  if (!globalThis.crypto?.subtle)
    return { text: 'signature: not checked, because the browser lends its cryptography to HTTPS pages only' };
  if (!key) return { text: 'signature: no key to check it with', holds: false };
  const [header, payload, written] = token.split('.');
  const { kty, crv, x, y } = key;
  const publicKey = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ES256, false, ['verify']);
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  const holds = await crypto.subtle.verify(ES256, publicKey, bytesOf(written), signed);
  return { text: 'signature fits header and payload', holds };
}

function jsonOf(part) {
  return JSON.parse(new TextDecoder().decode(bytesOf(part)));
}

function bytesOf(base64url) {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
