/** Says in a 401 how to authenticate (RFC 9110 §11.6.1): by configuration alone, never by what a request said. */
export interface Challenges {
  /** For an API and for a failed login. */
  readonly bearer: string;
  /** For a client at an OAuth endpoint (RFC 6749 §5.2, RFC 7617 §2.1). */
  readonly basic: string;
}

/** @throws TypeError for a realm that cannot stand in a header */
export function challengesOf(realm: string): Challenges {
  if (!/^[\t\x20-\x7e]+$/.test(realm)) throw new TypeError('The realm must be printable ASCII.');
  const quoted = `"${realm.replaceAll(/["\\]/g, '\\$&')}"`;
  return { bearer: `Bearer realm=${quoted}`, basic: `Basic realm=${quoted}, charset="UTF-8"` };
}
