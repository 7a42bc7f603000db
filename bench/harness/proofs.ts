/** An owner of a key, who makes proofs with it (RFC 9449 §4.2): each is good for one request. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

export interface Proven {
  readonly method: string;
  readonly url: string;
  readonly token?: string;
}

export class Owner {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  private readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638. */
  readonly jkt: string;

  constructor() {
    const { crv, kty, x, y } = this.pair.publicKey.export({ format: 'jwk' });
    this.jwk = { crv, kty, x, y };
    this.jkt = createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url');
  }

  proof({ method, url, token }: Proven): string {
    const claims = {
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(Date.now() / 1_000),
      ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
    };
    const input = `${encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.jwk })}.${encoded(claims)}`;
    const key = { key: this.pair.privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  }

  /** So many proofs, one a line. */
  write(file: string, count: number, of: Proven): string {
    writeFileSync(file, Array.from({ length: count }, () => this.proof(of)).join('\n'));
    return file;
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
