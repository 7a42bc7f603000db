import { Injectable } from '@nestjs/common';

/** What differs from token to token; the rest comes from configuration (RFC 9068 §2.2). Times in whole seconds. */
export interface JwtClaims {
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string;
  readonly scope: string;
  readonly iat: number;
  readonly exp: number;
}

export interface SignedJwt {
  readonly token: string;
  /** SHA-256 of the `jti`: what stands in the database in its place. */
  readonly digest: Buffer;
}

@Injectable()
export class JwtSigner {
  /** @throws Unavailable when there is no key to sign with */
  async sign(_claims: JwtClaims): Promise<SignedJwt> {
    throw new Error('written by the keys room');
  }
}
