import type { Challenge } from './bearer-answer.js';
import { isPlainAddress } from './dpop-address.js';
import { DpopVerifier, type DpopOptions } from './dpop-verifier.js';

export interface GuardOptions extends Challenge {
  /** Who tokens must be for (RFC 9068 §2.2 `aud`). Without it, every token of the authority is good here. */
  readonly audience?: string;
}

/**
 * Of an API that has said, or of which can be told, by which address callers know it. Without that nobody can say whether a proof
 * is for it, and tokens that are bound to a key open nothing there.
 * @throws TypeError, RangeError for options that cannot be meant
 */
export function dpopVerifier(
  options: DpopOptions | undefined,
  ...known: readonly (string | undefined)[]
): DpopVerifier | undefined {
  const publicUrl = options?.publicUrl ?? known.find(isPlainAddress);
  if (publicUrl !== undefined) return new DpopVerifier({ ...options, publicUrl });
  if (options) throw new TypeError('dpop needs publicUrl: the address by which callers know this API.');
  return undefined;
}

export const GUARD_OPTIONS = Symbol('keks:guard-options');
