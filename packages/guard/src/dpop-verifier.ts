import { hash } from 'node:crypto';
import { isAddress, publicBase } from './dpop-address.js';
import { DPOP_ALGORITHMS } from './dpop-key.js';
import type { ProofFlaw } from './dpop-flaws.js';
import { LocalProofMemory, type ProofMemory } from './dpop-memory.js';
import { DpopNonces, type NonceOptions } from './dpop-nonces.js';
import { ProofReader, type Proof } from './dpop-proof.js';
import { withinRange } from './endpoint.js';

export interface DpopOptions {
  /**
   * Where callers reach this API, as `https://api.example.com`, with the path that a proxy takes off: `htu` of a proof begins
   * with it. If absent, the `resource` of this API, or its `audience` if that is an http(s) address.
   */
  readonly publicUrl?: string | readonly string[];
  /** True: every route wants a token that is bound to a key, as if it had `@RequireDpop()`. */
  readonly required?: boolean;
  /** Seconds that `iat` of a proof may be away from now, in both directions, 60 if absent. */
  readonly window?: number;
  /** With it every proof needs a nonce of ours, whose age then counts in place of `iat`. */
  readonly nonces?: NonceOptions;
  /** Where used proofs are remembered, in this process if absent: instances that share none each take a proof once. */
  readonly memory?: ProofMemory;
  /** So many used proofs are remembered in this process, 500,000 if absent. Beyond them: 503. */
  readonly memoryEntries?: number;
  /** Milliseconds since the epoch, `Date.now` if absent. */
  readonly now?: () => number;
}

/** What of a request a proof is about. */
export interface ProvenRequest {
  readonly rawHeaders: readonly string[];
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express takes a prefix off `url`. */
  readonly originalUrl?: unknown;
}

export type ProofVerdict = (
  | { readonly flaw: ProofFlaw }
  | {
      readonly flaw?: undefined;
      /** Of the key that has signed it. */
      readonly jkt: string;
    }
) & {
  /** To be sent as `DPoP-Nonce` (RFC 9449 §8.2): the caller has none, or an old one. */
  readonly nonce?: string | undefined;
};

/** Owns whether a request was made by the owner of a key (RFC 9449); never what a token is good for. */
export class DpopVerifier {
  /** As a challenge names them (RFC 9449 §7.1). */
  readonly algs = DPOP_ALGORITHMS.join(' ');
  readonly required: boolean;
  private readonly reader = new ProofReader();
  private readonly bases: readonly string[];
  private readonly window: number;
  private readonly nonces: DpopNonces | undefined;
  private readonly memory: ProofMemory;
  private readonly now: () => number;

  /** @throws TypeError, RangeError for options that cannot be meant */
  constructor(options: DpopOptions & Required<Pick<DpopOptions, 'publicUrl'>>) {
    const { publicUrl, required = false, window = 60, nonces, now = Date.now } = options;
    this.bases = [publicUrl].flat().map((one) => publicBase('dpop.publicUrl', one));
    this.required = required;
    this.window = withinRange('dpop.window', window, 1, 600);
    this.nonces = nonces && new DpopNonces(nonces);
    this.now = now;
    const entries = withinRange('dpop.memoryEntries', options.memoryEntries ?? 500_000, 1, 10_000_000);
    const longest = Math.max(2 * this.window, 2 * (this.nonces?.lifetime ?? 0)) * 1_000;
    this.memory = options.memory ?? new LocalProofMemory(longest, entries);
  }

  /**
   * The checks of RFC 9449 §4.3, the cheap ones first.
   * @param token that the proof must be for; undefined where there is none yet, at the token endpoint
   * @throws what the memory throws
   */
  async verify(request: ProvenRequest, token?: string): Promise<ProofVerdict> {
    const text = proofIn(request.rawHeaders);
    const proof = typeof text === 'string' ? this.reader.read(text) : text.flaw;
    if (typeof proof === 'string') return this.refused(proof);
    const now = this.now();
    const flaw = requestFlaw(proof, request, this.bases) ?? tokenFlaw(proof, token);
    if (flaw) return this.refused(flaw);
    const until = this.goodUntil(proof, now);
    if (typeof until === 'string') return this.refused(until);
    if (!proof.isSigned()) return this.refused('proof_signature');
    if (!(await this.memory.isFirst(nameOf(proof), until))) return this.refused('proof_replayed');
    return { jkt: proof.jkt, ...this.nonceAfter(proof, now) };
  }

  /** By the nonce's age if there is one of ours, else by what the proof says of itself. Milliseconds. */
  private goodUntil({ nonce, iat }: Proof, now: number): number | ProofFlaw {
    if (this.nonces) return this.nonces.goodUntil(nonce, now) ?? 'proof_nonce';
    const window = this.window * 1_000;
    return Math.abs(now - iat * 1_000) <= window ? iat * 1_000 + window : 'proof_time';
  }

  private refused(flaw: ProofFlaw): ProofVerdict {
    return { flaw, ...(this.nonces && { nonce: this.nonces.current(this.now()) }) };
  }

  private nonceAfter({ nonce }: Proof, now: number): { nonce?: string } {
    const current = this.nonces?.current(now);
    return current === undefined || current === nonce ? {} : { nonce: current };
  }
}

/** RFC 9449 §4.3: not more than one header. The raw lines show a second one, which Node would join to the first. */
function proofIn(rawHeaders: readonly string[]): string | { readonly flaw: ProofFlaw } {
  let text: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name === undefined || name.length !== 4 || name.toLowerCase() !== 'dpop') continue;
    if (text !== undefined) return { flaw: 'proof_repeated' };
    text = rawHeaders[at + 1] ?? '';
  }
  return text ?? { flaw: 'proof_missing' };
}

function requestFlaw(
  { htm, htu }: Proof,
  { method, url = '', originalUrl }: ProvenRequest,
  bases: readonly string[],
): ProofFlaw | undefined {
  if (htm !== method) return 'proof_method';
  return isAddress(htu, bases, typeof originalUrl === 'string' ? originalUrl : url)
    ? undefined
    : 'proof_address';
}

/** RFC 9449 §4.3 and §7: made for this very token. */
function tokenFlaw({ ath }: Proof, token: string | undefined): ProofFlaw | undefined {
  return token === undefined || ath === hash('sha256', token, 'base64url') ? undefined : 'proof_token';
}

/** One signature can be written in two ways, and a JWT in more: what counts is whose proof it is, and which. */
function nameOf({ jkt, jti }: Proof): Buffer {
  return hash('sha256', `${jkt} ${jti}`, 'buffer');
}
