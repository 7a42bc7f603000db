/** RFC 6749 §3.3 `scope-token`. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * The scopes that a route asks for, checked where they are written: one that is undefined or has a blank in it would open the
 * route to everybody or to nobody.
 * @param where what they were given to, for the message @throws TypeError for what is no scope
 */
export function scopeTokens(where: string, scopes: readonly unknown[]): readonly string[] {
  return scopes.map((scope) => {
    if (typeof scope === 'string' && SCOPE_TOKEN.test(scope)) return scope;
    const got = typeof scope === 'string' ? JSON.stringify(scope) : `a value of the type ${typeof scope}`;
    throw new TypeError(
      `${where} takes scopes, each a text of its own without blanks, quotes and backslashes (RFC 6749 §3.3): it got ${got}.`,
    );
  });
}
