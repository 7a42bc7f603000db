import { hash } from 'node:crypto';
import { isAddress, publicBase } from './dpop-address.js';
import { DPOP_ALGORITHMS } from './dpop-key.js';
import type { ProofFlaw } from './dpop-flaws.js';
import { LocalProofMemory, type ProofMemory } from './dpop-memory.js';
import { DpopNonces, type NonceOptions } from './dpop-nonces.js';
import { ProofReader, type Proof } from './dpop-proof.js';
import { withinRange } from './endpoint.js';
import { onlyLine, REPEATED, type HeaderLines } from './header-line.js';

export interface DpopOptions {
  /**
   * Where callers reach this API, such as `https://api.example.com`, with the path that a proxy takes off: `htu` of a proof
   * begins with this address. If absent, the `resource` of this API, or its `audience` if that is an http(s) address.
   */
  readonly publicUrl?: string | readonly string[];
  /** True: every route wants a token that is bound to a key, as if it had `@RequireDpop()`. */
  readonly required?: boolean;
  /** Seconds by which `iat` of a proof may differ from now, in both directions; 60 if absent. */
  readonly window?: number;
  /** If set, every proof needs a nonce of ours, and the age of the nonce counts instead of `iat`. */
  readonly nonces?: NonceOptions;
  /**
   * Where used proofs are remembered, in this process if absent: instances without a shared memory each accept the same proof
   * once.
   */
  readonly memory?: ProofMemory;
  /** How many used proofs are remembered in this process, 500,000 if absent. When they are full: 503. */
  readonly memoryEntries?: number;
  /** Milliseconds since the epoch, `Date.now` if absent. */
  readonly now?: () => number;
}

/** The parts of a request that a proof is about. */
export interface ProvenRequest extends HeaderLines {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express takes a prefix off `url`. */
  readonly originalUrl?: unknown;
}

export type ProofVerdict = (
  | { readonly flaw: ProofFlaw }
  | {
      readonly flaw?: undefined;
      /** The thumbprint of the key that has signed the proof. */
      readonly jkt: string;
    }
) & {
  /** To be sent as `DPoP-Nonce` (RFC 9449 §8.2): the caller has no nonce, or an old one. */
  readonly nonce?: string | undefined;
};

/** Owns whether the owner of a key made a request (RFC 9449); never what a token is good for. */
export class DpopVerifier {
  /** The algorithms as a challenge names them (RFC 9449 §7.1). */
  readonly algs = DPOP_ALGORITHMS.join(' ');
  readonly required: boolean;
  private readonly reader = new ProofReader();
  private readonly bases: readonly string[];
  private readonly window: number;
  private readonly nonces: DpopNonces | undefined;
  private readonly memory: ProofMemory;
  private readonly now: () => number;
  /** For a route behind two guards: its proof is used once, and both learn what came of it. */
  private readonly judged = new WeakMap<
    ProvenRequest,
    { readonly token: string | undefined; readonly verdict: Promise<ProofVerdict> }
  >();

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
   * The checks of RFC 9449 §4.3, the cheap ones first. The same request object gets the same verdict again.
   * @param token the token that the proof must be for; undefined at the token endpoint, where there is no token yet
   * @throws what the memory throws
   */
  verify(request: ProvenRequest, token?: string): Promise<ProofVerdict> {
    const before = this.judged.get(request);
    if (before && before.token === token) return before.verdict;
    const verdict = this.judge(request, token);
    this.judged.set(request, { token, verdict });
    return verdict;
  }

  private async judge(request: ProvenRequest, token: string | undefined): Promise<ProofVerdict> {
    const text = onlyLine(request, 'dpop');
    if (text === undefined) return this.refused('proof_missing');
    // RFC 9449 §4.3: not more than one header; Node would join two into one text
    const proof = text === REPEATED ? 'proof_repeated' : this.reader.read(text);
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

  /** Judged by the age of the nonce if this API wants nonces, else by `iat` of the proof. Milliseconds. */
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

/** RFC 9449 §4.3 and §7: the proof is made for exactly this token. */
function tokenFlaw({ ath }: Proof, token: string | undefined): ProofFlaw | undefined {
  return token === undefined || ath === hash('sha256', token, 'base64url') ? undefined : 'proof_token';
}

/** The same proof can be spelled with other signatures and other text. So a proof is named by its key and its `jti`. */
function nameOf({ jkt, jti }: Proof): Buffer {
  return hash('sha256', `${jkt} ${jti}`, 'buffer');
}
