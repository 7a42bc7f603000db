import { newOwner, proof, type Owner } from '../support/dpop.js';
import { ISSUER } from '../support/test-app.js';
import type { Shown } from './clients.js';

/** Whose key it is, and somebody who would like to be that one. */
export interface Keys {
  readonly owner: Owner;
  readonly thief: Owner;
}

export async function newKeys(): Promise<Keys> {
  const [owner, thief] = await Promise.all([newOwner(), newOwner()]);
  return { owner, thief };
}

/** For the token endpoint. */
export function atTokenEndpoint({ owner, thief }: Keys, by: 'own' | 'other' = 'own'): Promise<Shown> {
  const path = '/oauth/token';
  return proven(by === 'own' ? owner : thief, by, { method: 'POST', path });
}

/** For the API. */
export function atApi({ owner, thief }: Keys, token: string, by: 'own' | 'other' = 'own'): Promise<Shown> {
  return proven(by === 'own' ? owner : thief, by, { method: 'GET', path: '/cookies', token });
}

async function proven(
  owner: Owner,
  by: 'own' | 'other',
  { method, path, ...more }: { readonly method: string; readonly path: string; readonly token?: string },
): Promise<Shown> {
  return { proof: by, dpop: await proof(owner, { method, url: ISSUER + path, ...more }) };
}
