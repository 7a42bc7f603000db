import { HttpException } from '@nestjs/common';

/**
 * The closed list of error codes on the wire: the status and the one constant sentence of each.
 * Nothing that came in with a request is ever repeated in an answer.
 */
export const WIRE_ERRORS = {
  invalid_request: [400, 'The request is malformed: a parameter is missing, repeated or of the wrong form.'],
  invalid_scope: [400, 'The requested scope is unknown, malformed or more than can be granted.'],
  invalid_grant: [400, 'The refresh token is invalid, expired, revoked or was issued to another client.'],
  invalid_target: [400, 'The requested resource is not one that this authority issues tokens for.'],
  unsupported_grant_type: [400, 'This grant type is not supported: use client_credentials or refresh_token.'],
  unauthorized_client: [400, 'This client may not do this with this token.'],
  unsupported_token_type: [400, 'Tokens of this type cannot be revoked here.'],
  invalid_credentials: [401, 'The user name or the password is wrong.'],
  invalid_client: [401, 'Client authentication failed.'],
  not_found: [404, 'There is nothing at this address.'],
  method_not_allowed: [405, 'This address does not answer to this method: see the Allow header.'],
  too_many_keys: [409, 'You have as many API keys as one user may have: delete one first.'],
  payload_too_large: [413, 'The body is larger than this address accepts.'],
  unsupported_media_type: [415, 'Send the body as the content type that this address documents.'],
  too_many_requests: [429, 'Too many failed attempts: wait as long as the Retry-After header says.'],
  server_error: [500, 'Something went wrong here. The request id in the answer finds it in the log.'],
  temporarily_unavailable: [503, 'The authority cannot give an answer right now: try again shortly.'],
} as const satisfies Record<string, readonly [number, string]>;

export type WireErrorCode = keyof typeof WIRE_ERRORS;

/** An answer in the one error shape: `{"error", "error_description"}` (RFC 6749 §5.2), with its status. */
export class WireError extends HttpException {
  constructor(
    readonly code: WireErrorCode,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    const [status, description] = WIRE_ERRORS[code];
    super({ error: code, error_description: description }, status);
  }
}
