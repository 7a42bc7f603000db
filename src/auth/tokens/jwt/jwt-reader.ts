import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/config.js';
import { Clock } from '../../../database/clock.js';
import { digestOf } from '../token-format.js';
import { ALG } from '../../keys/es256-key.js';
import { accessTokenClaims, type AccessTokenClaims } from './jwt-claims.js';
import { claimsOfProven, parseJwt, type ParsedJwt } from './jwt-parser.js';
import { isRetired, KeyRing, type SigningKeyInMemory } from '../../keys/key-ring.js';
import { ProvenJwts } from './proven-jwts.js';
import type { ReadToken, Refusal, Reading } from '../read-token.js';

/** The form of our key ids: SHA-256 in base64url. The reader does not look up any other text. */
const KID = /^[A-Za-z0-9_-]{43}$/;
/** RFC 9068 §2.1; the comparison ignores case (RFC 7515 §4.1.9). */
const TYPES = ['at+jwt', 'application/at+jwt'];
/** Seconds. The clock of the instance that signed the token may be a little ahead of ours. */
const CLOCKS_DIFFER = 60;

/**
 * Verifies our own JWTs completely (RFC 9068 §4) before anything uses their `jti`. It ignores `jku`, `x5u`, `jwk` and
 * `x5c` in the header: keys come from our table only. It checks the signature of each text once. On each read it checks
 * whether the key is retired and whether the token has expired. The database says whether the token was revoked.
 */
@Injectable()
export class JwtReader {
  private readonly proven = new ProvenJwts();

  constructor(
    private readonly ring: KeyRing,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Answers at once if the key is in memory. @throws Unavailable if it is not, and the key table cannot be read */
  read(token: string): Reading | Promise<Reading> {
    const provenBy = this.proven.keyOf(token);
    if (provenBy) {
      const key = this.ring.find(provenBy.kid);
      if (key?.verifier === provenBy.verifier) return this.judge(claimsOfProven(token), key);
    }
    const jwt = parseJwt(token);
    if (!jwt) return refused('malformed');
    const kid = keyId(jwt.header);
    if (kid === undefined) return refused('forged');
    const key = this.ring.find(kid);
    return key ? this.verify(token, jwt, key) : this.verifyWithUnknown(token, jwt, kid);
  }

  /** Reads the key table again first: another instance may have made the key a moment ago. */
  private async verifyWithUnknown(token: string, jwt: ParsedJwt, kid: string): Promise<Reading> {
    await this.ring.reload();
    const key = this.ring.find(kid);
    return key ? this.verify(token, jwt, key) : refused('forged');
  }

  private verify(token: string, jwt: ParsedJwt, key: SigningKeyInMemory): Reading {
    if (isRetired(key, this.clock) || !isSignedBy(key, token)) return refused('forged');
    const claims = accessTokenClaims(jwt.claims);
    if (!claims) return refused('malformed');
    this.proven.add(token, key);
    return this.judge(claims, key);
  }

  /** The checks that run on each read, because their result depends on more than the bytes of the token. */
  private judge({ iss, aud, iat, exp, jti }: AccessTokenClaims, key: SigningKeyInMemory): Reading {
    if (isRetired(key, this.clock)) return refused('forged');
    if (iss !== this.config.ISSUER || iat > this.clock.seconds() + CLOCKS_DIFFER) return refused('forged');
    const read: ReadToken = {
      kind: 'access',
      format: 'jwt',
      expiresAt: exp,
      digest: digestOf(jti),
      jti,
      audience: aud,
    };
    // expired from the second `exp` on, without leeway (RFC 7519 §4.1.4)
    return exp * 1_000 <= this.clock.now() ? { refused: 'expired', was: read } : read;
  }
}

/** @returns undefined for a header that we never wrote. Refuses `crit`: we have no extensions (RFC 7515 §4.1.11). */
function keyId({ alg, typ, kid, crit }: Record<string, unknown>): string | undefined {
  if (alg !== ALG || crit !== undefined) return undefined;
  if (typeof typ !== 'string' || !TYPES.includes(typ.toLowerCase())) return undefined;
  return typeof kid === 'string' && KID.test(kid) ? kid : undefined;
}

function isSignedBy({ verifier }: SigningKeyInMemory, token: string): boolean {
  try {
    verifier.verify(token);
    return true;
  } catch {
    return false;
  }
}

function refused(reason: Refusal): Reading {
  return { refused: reason };
}
