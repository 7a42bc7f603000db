/** RFC 8693 §4.1: `sub` is the client that acts; the nested `act` is the client that acted before it. */
export type ActClaim = { readonly sub: string; readonly act?: ActClaim };

/** @param actors the current actor first */
export function actClaim(actors: readonly string[]): ActClaim | undefined {
  return actors.reduceRight<ActClaim | undefined>((act, sub) => ({ sub, ...(act && { act }) }), undefined);
}
