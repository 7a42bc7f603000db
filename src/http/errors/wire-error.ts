import { HttpException } from '@nestjs/common';
import { REASONS, sentenceOf, type Reason } from './reasons.js';

/**
 * The closed list of error codes on the wire, each with its status and its default sentence. An answer never repeats
 * text of the request.
 */
export const WIRE_ERRORS = {
  invalid_request: [400, 'The request is malformed: a parameter is missing, repeated or of the wrong form.'],
  invalid_scope: [400, 'The requested scope is unknown, malformed or more than can be granted.'],
  invalid_grant: [
    400,
    'The code, device code or refresh token is invalid, expired, used, revoked or was issued to another client.',
  ],
  invalid_dpop_proof: [400, 'The proof in the header DPoP is missing, or not good for this request.'],
  use_dpop_nonce: [400, 'The proof needs the nonce that the header DPoP-Nonce of this answer has.'],
  invalid_target: [400, 'The requested resource is not one that this authority issues tokens for.'],
  unsupported_grant_type: [
    400,
    'This grant type is not supported: the metadata of this authority lists those that are.',
  ],
  unsupported_response_type: [400, 'The only response_type is code.'],
  authorization_pending: [
    400,
    'Nobody has decided yet: ask again after as many seconds as the interval says.',
  ],
  slow_down: [400, 'You ask too often: wait five seconds longer than before between two requests.'],
  access_denied: [400, 'The request was refused.'],
  expired_token: [400, 'The device code is over: ask for a new one.'],
  unauthorized_client: [400, 'This client may not do this with this token.'],
  unsupported_token_type: [400, 'Tokens of this type cannot be revoked here.'],
  invalid_redirect_uri: [400, 'Answers cannot go there: see what the documentation says of redirect_uris.'],
  invalid_client_metadata: [400, 'No client can be registered like this: see the documentation.'],
  weak_password: [400, 'The new password will not do: it is too short, or too easy to guess.'],
  invalid_credentials: [401, 'The user name or the password is wrong.'],
  invalid_client: [401, 'Client authentication failed.'],
  not_found: [404, 'There is nothing at this address.'],
  method_not_allowed: [405, 'This address does not answer to this method: see the Allow header.'],
  name_taken: [409, 'The name is taken: upper and lower case are the same.'],
  too_many_keys: [409, 'You have as many API keys as one user may have: delete one first.'],
  payload_too_large: [413, 'The body is larger than this address accepts.'],
  unsupported_media_type: [415, 'Send the body as the content type that this address documents.'],
  too_many_requests: [429, 'Too many attempts: wait as long as the Retry-After header says.'],
  server_error: [500, 'Something went wrong here. The request id in the answer finds it in the log.'],
  temporarily_unavailable: [503, 'The authority cannot give an answer right now: try again shortly.'],
} as const satisfies Record<string, readonly [number, string]>;

export type WireErrorCode = keyof typeof WIRE_ERRORS;

/** Codes that are always about the same member, in every route. */
const ALWAYS_ABOUT: Readonly<Partial<Record<WireErrorCode, string>>> = {
  invalid_scope: 'scope',
  invalid_target: 'resource',
  unsupported_grant_type: 'grant_type',
  unsupported_response_type: 'response_type',
  name_taken: 'name',
};

/** An answer in the one error shape: `{"error", "error_description"}` (RFC 6749 §5.2), with its status. */
export class WireError extends HttpException {
  /** @param about the member, by its name in the schema, and the reason of the refusal */
  constructor(
    readonly code: WireErrorCode,
    readonly headers: Readonly<Record<string, string>> = {},
    about: { readonly reason?: Reason; readonly parameter?: string | undefined } = {},
  ) {
    const { reason, parameter = ALWAYS_ABOUT[code] } = about;
    const [status, description] = WIRE_ERRORS[code];
    const said = reason === undefined ? description : sentenceOf(reason, parameter);
    super({ error: code, error_description: said, ...(parameter !== undefined && { parameter }) }, status);
  }

  /** The code follows from the reason. @param parameter a name from a schema, never from a request */
  static because(
    reason: Reason,
    parameter?: string,
    headers: Readonly<Record<string, string>> = {},
  ): WireError {
    return new WireError(REASONS[reason][0], headers, { reason, parameter });
  }
}
