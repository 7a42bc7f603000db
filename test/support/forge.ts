import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import type { Type } from '@nestjs/common';
import { KeyCipher } from '../../src/auth/keys/key-cipher.js';
import type { TestDatabase } from './database.js';

export type Json = Record<string, unknown>;

export interface StoredKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The authority's own key, out of the database: so that a token can be wrong in one thing and right in all others. */
export async function storedKey(
  database: TestDatabase,
  instance: { get<T>(type: Type<T>): T },
): Promise<StoredKey> {
  const { rows } = await database.client.query<{ kid: string; private_key: Buffer }>(
    'SELECT kid, private_key FROM signing_keys ORDER BY signs_from LIMIT 1',
  );
  const [row] = rows;
  if (!row) throw new Error('there is no signing key');
  const der = instance.get(KeyCipher).open(row.private_key, row.kid);
  if (!der) throw new Error('the signing key does not open');
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { kid: row.kid, privateKey, publicKey: createPublicKey(privateKey) };
}

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** @param header and @param claims objects, or JSON as it is to be written */
export function signed(
  header: Json | string,
  claims: Json | string,
  key: KeyObject,
  hash = 'sha256',
): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  const signature = sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

export function headerOf(token: string): Json {
  return part(token, 0);
}

export function claimsOf(token: string): Json {
  return part(token, 1);
}

function part(token: string, at: number): Json {
  return JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString()) as Json;
}

/** The order of P-256's base point (FIPS 186-4 D.1.2.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** (r, n - s) verifies wherever (r, s) does. */
export function malleated(token: string): string {
  const [header, claims, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${header}.${claims}.${other.toString('base64url')}`;
}
