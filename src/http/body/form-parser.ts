import { isAscii, isUtf8 } from 'node:buffer';
import { WireError } from '../errors/wire-error.js';

const PARAMETER_LIMIT = 64;

/**
 * The parameter names of the forms that this server reads. Any other name comes from the caller and is never repeated.
 */
const PARAMETERS = new Set([
  'grant_type',
  'scope',
  'resource',
  'refresh_token',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'token',
  'token_type_hint',
  'code',
  'code_verifier',
  'device_code',
  'user_code',
  'response_type',
  'state',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'response_mode',
  'request_uri',
  'redirect_uri',
  'user',
  'password',
  'request',
  'proof',
  'decision',
  'remember',
  'guard',
  'cursor',
  'leave',
  'dpop_jkt',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
]);

/**
 * The parameters of an `application/x-www-form-urlencoded` body, in an object without a prototype. An empty parameter
 * counts as absent. A repeated parameter is refused, even if one of its values is empty (RFC 6749 §3.1, §3.2), because
 * two parsers would not agree which value counts.
 *
 * @throws WireError only `invalid_request`
 */
export function parseForm(bytes: Buffer): Record<string, string> {
  if (!isUtf8(bytes)) throw WireError.because('not_utf8');
  const pairs = bytes.toString('utf8').split('&', PARAMETER_LIMIT + 1);
  if (pairs.length > PARAMETER_LIMIT) throw WireError.because('too_many');
  const seen = new Set<string>();
  const form = Object.create(null) as Record<string, string>;
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (seen.has(name)) throw repeated(name);
    seen.add(name);
    if (value !== '') form[name] = value;
  }
  return form;
}

function repeated(name: string): WireError {
  return PARAMETERS.has(name) ? WireError.because('repeated', name) : WireError.because('repeated_parameter');
}

/**
 * Whether the form means the same in every charset that contains ASCII: all its octets are ASCII, also those behind a
 * `%`.
 */
export function isAsciiForm(bytes: Buffer): boolean {
  return isAscii(bytes) && !/%[89a-f]/i.test(bytes.toString('latin1'));
}

/** Refuses text that cannot be decoded. `URLSearchParams` would replace it, so that different secrets become equal. */
function decode(encoded: string): string {
  if (!/[%+\0]/.test(encoded)) return encoded;
  let text: string;
  try {
    text = decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw WireError.because('not_form');
  }
  if (text.includes('\0')) throw WireError.because('ill_formed');
  return text;
}
