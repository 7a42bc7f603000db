/** RFC 8693 §4.1: who acts, and in whose place that one does. */
export type ActClaim = { readonly sub: string; readonly act?: ActClaim };

/** @param actors the one who acts now comes first */
export function actClaim(actors: readonly string[]): ActClaim | undefined {
  return actors.reduceRight<ActClaim | undefined>((act, sub) => ({ sub, ...(act && { act }) }), undefined);
}
