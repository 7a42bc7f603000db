import { isUtf8 } from 'node:buffer';
import { WireError } from '../../http/errors/wire-error.js';
import { ASSERTION_TYPE, readAssertion } from './client-assertion.js';
import { FIRST_PARTY_CLIENT } from '../tokens/token-lookup.sql.js';

/** What of a request can say which client it comes from. */
export interface ClientRequest {
  readonly url: string;
  readonly headers: { readonly authorization?: string | undefined };
  readonly body: unknown;
}

export interface PresentedClient {
  readonly clientId: string;
  /** None: a public client, if it is one. */
  readonly secret: string | undefined;
  /** In place of a secret (RFC 7523 §2.2). */
  readonly assertion?: string;
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const SECRETS = new Set([
  'client_secret',
  'client_assertion',
  'device_code',
  'password',
  'token',
  'access_token',
  'refresh_token',
  'subject_token',
  'actor_token',
]);

/**
 * `client_secret_basic`, `client_secret_post` or the name alone, never two of them, never in the URL (RFC 6749 §2.3.1).
 * @returns 'nobody' if no client is named, or only the first-party client, which is public
 * @throws WireError invalid_request, invalid_client
 */
export function presentedClient({ url, headers, body }: ClientRequest): PresentedClient | 'nobody' {
  if (hasSecretInUrl(url)) throw WireError.because('secret_in_url');
  const form = (body ?? {}) as Record<string, string | undefined>;
  const { client_id: clientId, client_secret: secret } = form;
  if (form['client_assertion'] !== undefined) return assertedClient(form, headers.authorization);
  if (headers.authorization !== undefined) {
    if (secret !== undefined) throw WireError.because('two_authentications', 'client_secret');
    const basic = basicCredentials(headers.authorization);
    if (clientId !== undefined && clientId !== basic.clientId)
      throw WireError.because('two_clients', 'client_id');
    return basic;
  }
  if (clientId === undefined && secret === undefined) return 'nobody';
  if (clientId === FIRST_PARTY_CLIENT && secret === undefined) return 'nobody';
  if (clientId === undefined) throw new WireError('invalid_client');
  return { clientId, secret };
}

/** Whose it is, it says itself: `client_id` may be left out (RFC 7521 §4.2). */
function assertedClient(
  form: Readonly<Record<string, string | undefined>>,
  authorization: string | undefined,
): PresentedClient {
  const { client_assertion: assertion, client_assertion_type: type, client_id: clientId } = form;
  if (authorization !== undefined || form['client_secret'] !== undefined)
    throw WireError.because('two_authentications', 'client_assertion');
  if (type !== ASSERTION_TYPE || assertion === undefined) throw new WireError('invalid_client');
  const read = readAssertion(assertion);
  if (!read || (clientId !== undefined && clientId !== read.clientId)) throw new WireError('invalid_client');
  return { clientId: read.clientId, secret: undefined, assertion };
}

/** By its decoded name: `client%5Fsecret` is one too. */
function hasSecretInUrl(url: string): boolean {
  const query = url.indexOf('?');
  if (query === -1) return false;
  return [...new URLSearchParams(url.slice(query + 1)).keys()].some((name) =>
    SECRETS.has(name.toLowerCase()),
  );
}

/** User-id and password are form-encoded before they are joined: a colon, a plus and a percent sign survive. */
function basicCredentials(header: string): PresentedClient {
  const encoded = BASIC.exec(header)?.[1];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  const colon = bytes.indexOf(':');
  if (encoded === undefined || colon < 1 || !isUtf8(bytes)) throw new WireError('invalid_client');
  const clientId = formDecoded(bytes.toString('utf8', 0, colon));
  const secret = formDecoded(bytes.toString('utf8', colon + 1));
  return { clientId, secret };
}

function formDecoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new WireError('invalid_client');
  }
}

/** As the ids that we make are spelled. */
const CLIENT_ID = /^c-[0-9a-f]{24}$/;

/** Whom a request that failed said that it was, for the audit log: null for anything that we never made. */
export function claimedClientId(request: ClientRequest): string | null {
  try {
    const presented = presentedClient(request);
    return presented !== 'nobody' && CLIENT_ID.test(presented.clientId) ? presented.clientId : null;
  } catch {
    return null;
  }
}
