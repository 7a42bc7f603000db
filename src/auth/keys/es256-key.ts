import { JwtService } from '@nestjs/jwt';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

/** Each key has one algorithm, which we pin and never read from a token (RFC 8725 §3.1). */
export const ALG = 'ES256';

/** RFC 7517 §4, RFC 7518 §6.2.1: what everybody may know. */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: typeof ALG;
}

export interface GeneratedKey {
  readonly publicJwk: PublicJwk;
  /** PKCS #8, DER. */
  readonly privateKey: Buffer;
}

export function generateKey(): GeneratedKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return {
    publicJwk: publicJwk(thumbprint(x, y), { x, y }),
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
  };
}

/** Built member by member, so that no other member of a stored object is ever published. */
export function publicJwk(kid: string, { x, y }: { x: string; y: string }): PublicJwk {
  return { kty: 'EC', crv: 'P-256', x, y, kid, use: 'sig', alg: ALG };
}

export function verifierOf(jwk: PublicJwk): JwtService {
  const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  // the expiry is compared with the injected clock, by the reader
  return new JwtService({ publicKey, verifyOptions: { algorithms: [ALG], ignoreExpiration: true } });
}

export function signerOf(der: Buffer, kid: string): JwtService {
  const privateKey: KeyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return new JwtService({
    privateKey,
    signOptions: { algorithm: ALG, header: { alg: ALG, typ: 'at+jwt', kid } },
  });
}

/** RFC 7638 §3: the members in this order, without white space. */
function thumbprint(x: string, y: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url');
}
