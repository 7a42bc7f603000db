import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { Clock } from '../../database/clock.js';
import { JwtSigner } from './jwt/jwt-signer.js';
import { actClaim } from './act-claim.js';
import { traced } from '../../tracing/tracing.js';
import { digestOf, mintToken, type Prefix, type TokenFormat } from './token-format.js';
import { TokenKeys } from './token-keys.js';

/** Who an access token will speak for, and to which API. */
export interface AccessRequest {
  readonly subject: string;
  readonly clientId: string;
  readonly scope: string;
  readonly audience: string;
  readonly format: TokenFormat;
  /** When the grant ends, which no token of it outlives: whole seconds since the epoch. */
  readonly notAfter?: number;
  /** Of a login: with it a guard tells from memory that the login is over. A client's are known by their subject. */
  readonly grantId?: string;
  /** Who acts for the subject, the one who does now first (RFC 8693 §4.1). */
  readonly actors?: readonly string[];
  /** The thumbprint of the key that it is bound to (RFC 9449 §6). */
  readonly jkt?: string | undefined;
}

/** A token that nobody knows yet. It is valid once its digest is committed. */
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

  /** An opaque placeholder or a signed JWT (RFC 9068). @throws Unavailable without a key to sign with */
  access(request: AccessRequest): Promise<MintedToken> {
    return traced('mint', { 'keks.token.format': request.format }, () => this.mint(request));
  }

  private async mint(request: AccessRequest): Promise<MintedToken> {
    const { subject, clientId, scope, audience, format, notAfter = Infinity, actors = [] } = request;
    const iat = this.clock.seconds();
    const expiresIn = Math.min(this.config.ACCESS_TOKEN_TTL, notAfter - iat);
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

  /** @param expiresIn whole seconds @returns with the name of the SECRET_KEY that it was made with */
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
