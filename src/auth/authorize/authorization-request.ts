import { OFFLINE_ACCESS, parseScope, subset } from '../scope.js';
import type { ClientRecord } from '../clients/clients.service.js';

export type ResponseMode = 'query' | 'form_post';

/** Where and how the client gets its answer, and the `state` that every answer carries. */
export interface ReturnAddress {
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  /** Sent back unchanged (RFC 6749 §4.1.1). */
  readonly state: string | undefined;
}

/** What a client asks a person for. */
export interface AuthorizationRequest extends ReturnAddress {
  readonly client: ClientRecord;
  readonly scope: readonly string[];
  /** Whether the client wants to act while the person is away. */
  readonly offline: boolean;
  readonly resource: string | undefined;
  readonly codeChallenge: string;
  readonly prompt: ReadonlySet<string>;
  /** The digest by which a pushed request is found; a pushed request is answered once (RFC 9126). */
  readonly pushed?: Buffer | undefined;
  /**
   * Thumbprint of the key whose proof must come with the code (RFC 9449 §10). A pushed request may take it from its own
   * proof.
   */
  readonly jkt: string | undefined;
}

/** The error codes of RFC 6749 §4.1.2.1, RFC 8707 §2 and OpenID Connect Core 1.0 §3.1.2.6. */
export type RequestError =
  | 'invalid_request'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'login_required'
  | 'consent_required'
  | 'request_not_supported'
  | 'request_uri_not_supported';

export interface Refused {
  readonly error: RequestError;
  readonly description: string;
  /** The parameter that is wrong, if it is a single one. */
  readonly parameter?: string | undefined;
}

/**
 * Whether the person's answer may be remembered for the same request. It may not if the client has no secret and its
 * answers go to a program on somebody's device, by loopback or by a scheme of its own: any program that knows the
 * client's name can pose as it (RFC 6749 §10.2, RFC 8252 §8.6).
 */
export function isAssured({ client, redirectUri }: AuthorizationRequest): boolean {
  return !client.isPublic || redirectUri.startsWith('https:');
}

const PROMPTS = ['none', 'login', 'consent', 'select_account'];
const PARAMETERS_MOST = 64;

/** @returns all values of each parameter, empty ones too, by name; undefined if there are too many parameters */
export function parametersOf(query: string): ReadonlyMap<string, readonly string[]> | undefined {
  const pairs = [...new URLSearchParams(query)];
  if (pairs.length > PARAMETERS_MOST) return undefined;
  const found = new Map<string, string[]>();
  for (const [name, value] of pairs) found.set(name, [...(found.get(name) ?? []), value]);
  return found;
}

/** RFC 6749 §3.1: an empty parameter counts as absent. A parameter that comes twice counts as absent here, too. */
export function only(parameters: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const values = parameters.get(name) ?? [];
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

/** Once this address is known, a refusal may go to the client. An unknown `response_mode` is refused by `query`. */
export function returnAddress(
  parameters: ReadonlyMap<string, readonly string[]>,
  redirectUri: string,
): ReturnAddress {
  const responseMode = only(parameters, 'response_mode') === 'form_post' ? 'form_post' : 'query';
  return { redirectUri, responseMode, state: only(parameters, 'state') };
}

/** Reads the request of a known client whose redirect address is registered. */
export function readRequest(
  parameters: ReadonlyMap<string, readonly string[]>,
  client: ClientRecord,
  address: ReturnAddress,
): AuthorizationRequest | Refused {
  const flaw = flawOf(parameters) ?? pkceFlaw(parameters);
  if (flaw) return flaw;
  const wanted = wantedScope(only(parameters, 'scope'), client);
  if (!wanted) return refused('invalid_scope', 'The scope is malformed, or more than this client may have.');
  const prompt = new Set((only(parameters, 'prompt') ?? '').split(' ').filter(Boolean));
  if ([...prompt].some((one) => !PROMPTS.includes(one)) || (prompt.has('none') && prompt.size > 1))
    return refused('invalid_request', 'The prompt is unknown, or none together with another one.', 'prompt');
  if ((parameters.get('resource') ?? []).length > 1)
    return refused('invalid_target', 'One resource at a time: ask again for the other one.');
  const resource = only(parameters, 'resource');
  const codeChallenge = only(parameters, 'code_challenge') ?? '';
  const jkt = only(parameters, 'dpop_jkt');
  return { ...address, ...wanted, client, prompt, resource, codeChallenge, jkt };
}

function flawOf(parameters: ReadonlyMap<string, readonly string[]>): Refused | undefined {
  for (const [name, values] of parameters)
    if (values.length > 1 && name !== 'resource')
      return refused('invalid_request', 'A parameter was sent more than once.');
  if (parameters.has('request'))
    return refused('request_not_supported', 'Send the parameters themselves.', 'request');
  if (parameters.has('request_uri'))
    return refused('request_uri_not_supported', 'Send the parameters themselves.');
  const type = only(parameters, 'response_type');
  if (type === undefined)
    return refused('invalid_request', 'The response_type is missing: it is code.', 'response_type');
  if (type !== 'code') return refused('unsupported_response_type', 'The only response_type is code.');
  const jkt = only(parameters, 'dpop_jkt');
  if (jkt !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(jkt))
    return refused('invalid_request', 'The dpop_jkt is the thumbprint of a key: 43 characters (RFC 9449).');
  const mode = only(parameters, 'response_mode');
  if (mode !== undefined && mode !== 'query' && mode !== 'form_post')
    return refused('invalid_request', 'The response_mode is query or form_post.', 'response_mode');
  return undefined;
}

/** RFC 7636 §4.4.1. A request without a method means `plain`, which anybody who sees the request could use. */
function pkceFlaw(parameters: ReadonlyMap<string, readonly string[]>): Refused | undefined {
  const challenge = only(parameters, 'code_challenge');
  if (challenge === undefined)
    return refused(
      'invalid_request',
      'The code_challenge is missing: PKCE with S256 is required of everybody.',
      'code_challenge',
    );
  if (only(parameters, 'code_challenge_method') !== 'S256')
    return refused('invalid_request', 'The code_challenge_method must be S256.', 'code_challenge_method');
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge))
    return refused(
      'invalid_request',
      'The code_challenge is the base64url of a SHA-256: 43 characters.',
      'code_challenge',
    );
  return undefined;
}

/** @returns undefined if the scope is malformed or more than the client may have */
export function wantedScope(
  text: string | undefined,
  client: ClientRecord,
): Pick<AuthorizationRequest, 'scope' | 'offline'> | undefined {
  const all = parseScope(client.scope) ?? [];
  if (text === undefined) return { scope: all, offline: false };
  const parsed = parseScope(text);
  const wanted = parsed?.filter((scope) => scope !== OFFLINE_ACCESS);
  if (!parsed || !wanted || !subset(wanted, all)) return undefined;
  return { scope: wanted.length > 0 ? wanted : all, offline: wanted.length < parsed.length };
}

export function refused(error: RequestError, description: string, parameter?: string): Refused {
  return { error, description, parameter };
}
