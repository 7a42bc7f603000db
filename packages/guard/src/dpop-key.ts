import { constants, createPublicKey, hash, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

/** The only algorithms that may sign a proof (RFC 9449 §4.3): asymmetric ones whose keys cannot be small. */
export const DPOP_ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] as const;

export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number];

/** A public key from a proof, and its thumbprint (RFC 7638). */
export interface ProofKey {
  readonly jkt: string;
  readonly key: KeyObject;
}

/** RFC 7517 §9.2, RFC 7518 §6: a client that sends one of these members has told a secret, and has to make a new key. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** 32 bytes. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;
/** 2,048 to 4,096 bits: checking a signature of a longer key costs more than we do for strangers. */
const MODULUS = /^[A-Za-z0-9_-]{342,683}$/;
/** 65,537, the exponent that everybody uses. */
const EXPONENT = 'AQAB';

/** @returns undefined for a key that this algorithm does not go with, or that has something private in it */
export function proofKey(jwk: unknown, alg: DpopAlgorithm): ProofKey | undefined {
  if (typeof jwk !== 'object' || jwk === null || PRIVATE.some((member) => Object.hasOwn(jwk, member)))
    return undefined;
  const required = requiredMembers(jwk as Record<string, unknown>, alg);
  if (!required) return undefined;
  try {
    const key = createPublicKey({ key: required, format: 'jwk' });
    return { key, jkt: hash('sha256', JSON.stringify(required), 'base64url') };
  } catch {
    return undefined; // no point of the curve
  }
}

/** The members in the order of RFC 7638 §3.3, and no others. */
function requiredMembers(
  { kty, crv, x, y, e, n }: Record<string, unknown>,
  alg: DpopAlgorithm,
): JsonWebKey | undefined {
  if (alg === 'ES256')
    return kty === 'EC' && crv === 'P-256' && is(COORDINATE, x) && is(COORDINATE, y)
      ? { crv, kty, x, y }
      : undefined;
  if (alg === 'PS256' || alg === 'RS256')
    return kty === 'RSA' && e === EXPONENT && is(MODULUS, n) ? { e, kty, n } : undefined;
  return kty === 'OKP' && crv === 'Ed25519' && is(COORDINATE, x) ? { crv, kty, x } : undefined;
}

function is(spelling: RegExp, text: unknown): text is string {
  return typeof text === 'string' && spelling.test(text);
}

/**
 * Runs in this thread and not through WebCrypto: WebCrypto waits behind all other work in the pool of threads, such as the hashes
 * of passwords.
 */
export function isSignedBy(key: KeyObject, alg: DpopAlgorithm, text: string, signature: Buffer): boolean {
  const data = Buffer.from(text, 'ascii');
  switch (alg) {
    case 'ES256':
      return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'PS256':
      return verify(
        'sha256',
        data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
        signature,
      );
    case 'RS256':
      return verify('sha256', data, key, signature);
    default:
      return verify(null, data, key, signature);
  }
}
