import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../../config/config.js';
import { WireError } from '../../../http/errors/wire-error.js';
import { digestOf } from '../token-format.js';
import type { ActClaim } from '../act-claim.js';
import { LONGEST_JWT } from './jwt-parser.js';
import { SigningKeys } from '../../keys/signing-keys.js';

/** The claims that differ between tokens (RFC 9068 §2.2); `sign` adds `iss` and `jti`. Times in whole seconds. */
export interface JwtClaims {
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string;
  readonly scope: string;
  readonly iat: number;
  readonly exp: number;
  /** The id of the grant that the token belongs to. Tokens from client credentials have none. */
  readonly sid?: string;
  /** Who acts for the subject (RFC 8693 §4.1). */
  readonly act?: ActClaim | undefined;
  /** The key that the token is bound to (RFC 9449 §6.1). */
  readonly cnf?: { readonly jkt: string };
}

export interface SignedJwt {
  readonly token: string;
  /** SHA-256 of the `jti`. The database stores this digest and not the `jti`. */
  readonly digest: Buffer;
}

const JTI_BYTES = 24;

/** Makes access tokens that an API can check without asking us (RFC 9068). */
@Injectable()
export class JwtSigner {
  constructor(
    private readonly keys: SigningKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @throws Unavailable if there is no key to sign with; WireError invalid_scope if the scope is so long that the token
   *   would not fit into a header
   */
  async sign({ scope, ...claims }: JwtClaims): Promise<SignedJwt> {
    const key = await this.keys.signer(claims.exp * 1_000);
    const jti = randomBytes(JTI_BYTES).toString('base64url');
    const token = key.signer.sign({
      iss: this.config.ISSUER,
      ...claims,
      jti,
      // an empty `scope` would be malformed (RFC 6749 §3.3)
      ...(scope === '' ? {} : { scope }),
    });
    if (token.length > LONGEST_JWT) throw new WireError('invalid_scope');
    return { token, digest: digestOf(jti) };
  }
}
