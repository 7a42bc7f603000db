import type { ProofFlaw } from './dpop-flaws.js';
import { DPOP_ALGORITHMS, isSignedBy, proofKey, type DpopAlgorithm, type ProofKey } from './dpop-key.js';

/** What a proof says. It has been read, but nothing is verified yet. */
export interface Proof {
  readonly jkt: string;
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly ath: unknown;
  readonly nonce: unknown;
  /** Costs more than all other checks, so it comes last. */
  isSigned(): boolean;
}

interface Header {
  readonly alg: DpopAlgorithm;
  readonly jwk: unknown;
}

interface Signer extends ProofKey {
  readonly alg: DpopAlgorithm;
}

/** Characters. A proof by a key of 4,096 bits, with all claims in it, has half of that. */
const LONGEST = 4_096;
const LONGEST_JTI = 256;
const LONGEST_HTU = 2_048;
const SPELLING = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** How many keys are kept after they were read. */
const KNOWN_MOST = 1_000;

/**
 * Checks the form of RFC 9449 §4.2, and nothing about the request that a proof came with. Clients send the same header each time,
 * and reading a key from it costs as much as checking a signature. So a header whose key has signed a proof is remembered, by its
 * text.
 */
export class ProofReader {
  private readonly known = new Map<string, Signer>();

  read(text: string): Proof | ProofFlaw {
    if (text.length > LONGEST || !SPELLING.test(text)) return 'proof_malformed';
    const [head = '', body = '', seal = ''] = text.split('.');
    const signer = this.known.get(head) ?? signerOf(head);
    if (typeof signer === 'string') return signer;
    const claims = object(body);
    const signature = canonical(seal);
    if (!claims || !signature) return 'proof_malformed';
    return proofOf(claims, signer.jkt, () => {
      const isSigned = hasSigned(signer, `${head}.${body}`, signature);
      if (isSigned) this.remember(head, signer);
      return isSigned;
    });
  }

  private remember(head: string, signer: Signer): void {
    if (this.known.size >= KNOWN_MOST && !this.known.has(head))
      for (const oldest of this.known.keys()) {
        this.known.delete(oldest);
        break;
      }
    this.known.set(head, signer);
  }
}

function signerOf(text: string): Signer | ProofFlaw {
  const header = headerOf(text);
  if (typeof header === 'string') return header;
  const key = proofKey(header.jwk, header.alg);
  return key ? { ...key, alg: header.alg } : 'proof_key';
}

function headerOf(text: string): Header | ProofFlaw {
  const header = object(text);
  if (!header) return 'proof_malformed';
  const { typ, alg, jwk, crit } = header;
  // RFC 9449 §4.2: no other kind of JWT counts as a proof. We know no extension that must be understood.
  if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt' || crit !== undefined)
    return 'proof_malformed';
  return isAlgorithm(alg) ? { alg, jwk } : 'proof_algorithm';
}

function proofOf(
  { jti, htm, htu, iat, ath, nonce }: Record<string, unknown>,
  jkt: string,
  isSigned: () => boolean,
): Proof | ProofFlaw {
  if (!isText(jti, LONGEST_JTI) || !isText(htm, 64) || !isText(htu, LONGEST_HTU)) return 'proof_claims';
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'proof_claims';
  return { jkt, jti, htm, htu, iat, ath, nonce, isSigned };
}

function hasSigned({ key, alg }: Signer, text: string, signature: Buffer): boolean {
  try {
    return isSignedBy(key, alg, text, signature);
  } catch {
    return false;
  }
}

function isAlgorithm(alg: unknown): alg is DpopAlgorithm {
  return DPOP_ALGORITHMS.some((known) => known === alg);
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest;
}

function object(text: string): Record<string, unknown> | undefined {
  const bytes = canonical(text);
  try {
    const parsed: unknown = bytes && JSON.parse(bytes.toString());
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    return parsed as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Undefined if the text is not the one canonical spelling of its bytes. */
function canonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
