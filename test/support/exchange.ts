import { basic, submit, type TestClient } from './oauth.js';
import type { Answer } from './test-app.js';

/** How a token is exchanged for one for another API (RFC 8693). */

export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** @param more in addition, or instead; empty leaves a parameter out */
export function exchange(
  keks: { readonly url: string },
  client: TestClient,
  token: string,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const form = {
    grant_type: EXCHANGE_GRANT,
    subject_token: token,
    subject_token_type: ACCESS_TOKEN,
    ...more,
  };
  return submit(keks.url, '/oauth/token', form, { ...basic(client), ...headers });
}

export interface Exchanged {
  readonly access_token: string;
  readonly issued_token_type: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
}
