import type { Challenge } from './bearer-answer.js';
import { isPlainAddress } from './dpop-address.js';
import { DpopVerifier, type DpopOptions } from './dpop-verifier.js';

export interface GuardOptions extends Challenge {
  /** The audience that tokens must name (RFC 9068 §2.2 `aud`). Without it, every token of the authority is good here. */
  readonly audience?: string;
}

/**
 * Makes the verifier if the address by which callers know the API is in the options or among `known`. Without an address nobody
 * can say whether a proof is for this API, and tokens that are bound to a key open nothing there.
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
