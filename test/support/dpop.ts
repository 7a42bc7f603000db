import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createHash, randomUUID } from 'node:crypto';

/** Somebody who has a key, and makes proofs with it: by the RFC's words, and by nobody's code but jose's. */
export interface Owner {
  readonly alg: string;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
  readonly jkt: string;
}

export async function newOwner(alg = 'ES256'): Promise<Owner> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  return { alg, publicJwk, privateKey, jkt: await calculateJwkThumbprint(publicJwk) };
}

export interface ProofOf {
  readonly method: string;
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now?: number;
  readonly token?: string;
  readonly nonce?: string | undefined;
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

/** A good proof, but for what `header` and `claims` say otherwise; what they say is undefined is left out. */
export async function proof(owner: Owner, of: ProofOf): Promise<string> {
  const { method, url, token, nonce, header = {}, claims = {}, now = Date.now() } = of;
  const payload = {
    jti: randomUUID(),
    htm: method,
    htu: url,
    iat: Math.floor(now / 1_000),
    ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
    ...(nonce !== undefined && { nonce }),
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(payload)) as Record<string, unknown>)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: owner.alg, jwk: owner.publicJwk, ...header })
    .sign(owner.privateKey);
}

/** The same text with another header or other claims, and no signature that fits. */
export function spelled(header: unknown, claims: unknown, signature = Buffer.alloc(64)): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature.toString('base64url')}`;
}
