import { constants, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

/** The public half of what a client signs with (RFC 7517), with no member that is not looked at. */
export type PublicJwk = Readonly<Record<string, string>>;

/** Asymmetric ones alone: a secret that both sides know proves nothing that the secret itself does not. */
export const ASSERTION_ALGS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const;
type Alg = (typeof ASSERTION_ALGS)[number];

const KEYS_MOST = 10;
const RSA_BITS_LEAST = 2_048;
const RSA_BITS_MOST = 4_096;
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
  ['RSA', ['n', 'e']],
]);
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** @returns undefined if it is no set of public keys that Keks can verify with */
export function readJwks(jwks: unknown): readonly PublicJwk[] | undefined {
  const { keys } = (jwks ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_MOST) return undefined;
  const read = keys.map(publicKeyOf);
  const ids = read.flatMap((one) => one?.['kid'] ?? []);
  return new Set(ids).size === ids.length && read.every((one) => one !== undefined) ? read : undefined;
}

function publicKeyOf(given: unknown): PublicJwk | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const jwk = given as Record<string, unknown>;
  const names = [
    'kty',
    ...(MEMBERS.get(jwk['kty']) ?? []),
    ...OPTIONAL.filter((name) => jwk[name] !== undefined),
  ];
  if (names.length === 1 || PRIVATE.some((name) => name in jwk)) return undefined;
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return undefined;
  if (!names.every((name) => typeof jwk[name] === 'string' && jwk[name].length <= 1_024)) return undefined;
  const read = Object.fromEntries(names.map((name) => [name, String(jwk[name])]));
  const alg = read['alg'];
  const key = keyOf(read);
  return key && (alg === undefined || algsOf(key).includes(alg)) ? read : undefined;
}

const OPTIONAL = ['kid', 'alg'];

function keyOf(jwk: PublicJwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return algsOf(key).length > 0 ? key : undefined;
  } catch {
    return undefined;
  }
}

/** What a key can have signed: its kind says so, never what was sent with a signature. */
function algsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): readonly string[] {
  if (type === 'ec') return details?.namedCurve === 'prime256v1' ? ['ES256'] : [];
  if (type === 'ed25519') return ['EdDSA'];
  const bits = type === 'rsa' ? (details?.modulusLength ?? 0) : 0;
  return bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST ? ['PS256', 'RS256'] : [];
}

/** A signature and what it is about, as they came. */
export interface Signed {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly input: string;
  readonly signature: Buffer;
}

/** Whether one of these keys has made it. */
export function isSignedBy(keys: readonly PublicJwk[], { alg, kid, input, signature }: Signed): boolean {
  return keys
    .filter((jwk) => (kid === undefined || jwk['kid'] === kid) && (jwk['alg'] ?? alg) === alg)
    .some((jwk) => {
      const key = keyOf(jwk);
      return key !== undefined && algsOf(key).includes(alg) && isGood(alg as Alg, key, input, signature);
    });
}

function isGood(alg: Alg, key: KeyObject, input: string, signature: Buffer): boolean {
  const data = Buffer.from(input);
  switch (alg) {
    case 'ES256':
      return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'EdDSA':
      return verify(null, data, key, signature);
    case 'PS256':
      return verify(
        'sha256',
        data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
        signature,
      );
    case 'RS256':
      return verify('sha256', data, key, signature);
  }
}
