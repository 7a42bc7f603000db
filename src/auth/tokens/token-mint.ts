import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { JwtSigner } from './jwt/jwt-signer.js';
import { actClaim } from './act-claim.js';
import { traced } from '../../tracing/tracing.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { digestOf, mintToken, type Prefix, type TokenFormat } from './token-format.js';
import { TokenKeys } from './token-keys.js';

/** For whom an access token will speak, and to which API. */
export interface AccessRequest {
  readonly subject: string;
  readonly clientId: string;
  readonly scope: string;
  readonly audience: string;
  readonly format: TokenFormat;
  /** When the grant ends, in whole seconds since the epoch. No token outlives its grant. */
  readonly notAfter?: number;
  /**
   * The grant, which becomes `sid` in a JWT: with it a guard knows from memory that the grant has ended. Absent for
   * client credentials: guards know such tokens by their subject.
   */
  readonly grantId?: string;
  /** The clients that act for the subject, the current actor first (RFC 8693 §4.1). */
  readonly actors?: readonly string[];
  /** The thumbprint of the key that the token is bound to (RFC 9449 §6). */
  readonly jkt?: string | undefined;
}

/** A token that is not stored yet. It is valid once its digest is committed. */
export interface MintedToken {
  readonly token: string;
  readonly digest: Buffer;
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  /** Whole seconds from now. */
  readonly expiresIn: number;
}

@Injectable()
export class TokenMint {
  constructor(
    private readonly keys: TokenKeys,
    private readonly signer: JwtSigner,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * An opaque placeholder or a signed JWT (RFC 9068).
   * @throws Unavailable without a key to sign with; WireError invalid_scope if the scope is too long for a JWT
   */
  access(request: AccessRequest): Promise<MintedToken> {
    return traced('mint', { 'keks.token.format': request.format }, () => this.mint(request));
  }

  private async mint(request: AccessRequest): Promise<MintedToken> {
    const { subject, clientId, scope, audience, format, notAfter = Infinity, actors = [] } = request;
    const iat = this.clock.seconds();
    const expiresIn = Math.min(this.config.ACCESS_TOKEN_TTL, notAfter - iat);
    // the second has turned since it was looked up: whoever asks again hears that it is over
    if (expiresIn < 1) throw new Unavailable('what a token was to be made from has just ended');
    const exp = iat + expiresIn;
    if (format === 'opaque') return this.spelled('kat_', exp, expiresIn);
    const signed = await this.signer.sign({
      sub: subject,
      client_id: clientId,
      aud: audience,
      scope,
      iat,
      exp,
      ...(request.grantId === undefined ? {} : { sid: request.grantId }),
      ...(actors.length === 0 ? {} : { act: actClaim(actors) }),
      ...(request.jkt === undefined ? {} : { cnf: { jkt: request.jkt } }),
    });
    return { ...signed, expiresAt: exp, expiresIn };
  }

  /** @param expiresIn whole seconds @returns the token, and in `keyId` the name of the SECRET_KEY that made it */
  opaque(prefix: Prefix, expiresIn: number): MintedToken & { readonly keyId: string } {
    const { keyId } = this.keys.current;
    return { ...this.spelled(prefix, this.clock.seconds() + expiresIn, expiresIn), keyId };
  }

  /** A refresh token that does not outlive its grant. @param notAfter whole seconds since the epoch */
  refresh(notAfter: number): MintedToken {
    const left = Math.max(0, notAfter - this.clock.seconds());
    return this.opaque('krt_', Math.min(this.config.REFRESH_TOKEN_TTL, left));
  }

  private spelled(prefix: Prefix, expiresAt: number, expiresIn: number): MintedToken {
    const token = mintToken(prefix, expiresAt, this.keys.current);
    return { token, digest: digestOf(token), expiresAt, expiresIn };
  }
}
