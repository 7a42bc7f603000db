import { WIRE_ERRORS } from './wire-error.js';

/**
 * The challenges of a 401: how to authenticate (RFC 9110 §11.6.1). They depend on configuration alone, never on the
 * request.
 */
export interface Challenges {
  /** For an API and for a failed login. */
  readonly bearer: string;
  /** For a client at an OAuth endpoint (RFC 6749 §5.2, RFC 7617 §2.1). */
  readonly basic: string;
  /** For a 400: the header with the credentials is itself malformed (RFC 6750 §3.1). */
  readonly malformed: string;
}

/**
 * @param resourceMetadata absolute URL of the RFC 9728 document, if there is one
 * @throws TypeError for a realm that a header cannot contain
 */
export function challengesOf(realm: string, resourceMetadata?: string): Challenges {
  if (!/^[\t\x20-\x7e]+$/.test(realm)) throw new TypeError('The realm must be printable ASCII.');
  const quoted = `"${realm.replaceAll(/["\\]/g, '\\$&')}"`;
  const bearer = `Bearer realm=${quoted}`;
  const [, description] = WIRE_ERRORS.invalid_request;
  const metadata = resourceMetadata === undefined ? '' : `, resource_metadata="${resourceMetadata}"`;
  return {
    bearer,
    basic: `Basic realm=${quoted}, charset="UTF-8"`,
    malformed: `${bearer}, error="invalid_request", error_description="${description}"${metadata}`,
  };
}
