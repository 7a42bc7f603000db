import type { Challenge } from './bearer-answer.js';
import { isPlainAddress } from './dpop-address.js';
import { DpopVerifier, type DpopOptions } from './dpop-verifier.js';
import type { TokenValidator } from './token-validator.js';

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

/** What every header can carry (RFC 9110 §5.5): of other characters nobody knows in which encoding they arrive. */
const HEADER_TEXT = /^[\t\x20-\x7E]*$/;

/**
 * Bad options are found at the start: at the first refusal they would make another answer of it, or let somebody in.
 * @throws TypeError
 */
export function checkOptions(options: GuardOptions): void {
  const { realm, resourceMetadata, audience } = options;
  if (!isHeaderText(realm))
    throw new TypeError('realm must be a text that a header can carry: ASCII without line breaks.');
  if (resourceMetadata !== undefined && !isHeaderText(resourceMetadata))
    throw new TypeError('resourceMetadata must be the address of a document, as a header can carry it.');
  if ('audience' in options && (typeof audience !== 'string' || audience === ''))
    throw new TypeError(
      'audience must be a text, and not empty. Without the option every token of the authority is good here: leave it out if that is meant.',
    );
}

function isHeaderText(value: unknown): boolean {
  return typeof value === 'string' && HEADER_TEXT.test(value);
}

/** By its method and not by its class: an API may have two copies of this package, and a port is something that anybody may implement. */
export function isValidator(value: unknown): value is TokenValidator {
  return typeof (value as Partial<TokenValidator> | undefined | null)?.validate === 'function';
}

export const GUARD_OPTIONS = Symbol('keks:guard-options');
