import { expect } from 'vitest';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { parseChallenges } from './challenge-parser.js';
import { expectListed } from './error-shape.js';
import { PASSWORD, post, request, type Answer, type TestApp } from './test-app.js';

/** How OAuth 2 is spoken: forms in, JSON out, HTTP Basic in the spelling of RFC 6749 §2.3.1. */

export interface TestClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

export const BY_OPERATOR = { actor: 'operator', origin: OPERATOR };

export async function addClient(keks: TestApp, client: Partial<NewClient> = {}): Promise<TestClient> {
  const { clientId, clientSecret } = await keks.app.get(ClientsService).add(
    {
      name: 'oven',
      scope: ['cookies:eat', 'cookies:bake'],
      audience: [],
      resources: [],
      tokenFormat: 'opaque',
      ...client,
    },
    BY_OPERATOR,
  );
  return { clientId, clientSecret };
}

/** A client whose id the operator's tools would never make: because of its characters, or because it is reserved. */
export async function addClientNamed(keks: TestApp, clientId: string): Promise<TestClient> {
  const made = await addClient(keks);
  const { client } = keks.database;
  const ids = [clientId, made.clientId];
  await client.query(
    `INSERT INTO clients (client_id, name, scope, audience, token_format)
     SELECT $1, name, scope, audience, token_format FROM clients WHERE client_id = $2`,
    ids,
  );
  await client.query('UPDATE client_secrets SET client_id = $1 WHERE client_id = $2', ids);
  return { clientId, clientSecret: made.clientSecret };
}

/** `application/x-www-form-urlencoded` of one value: a space is a plus, and a plus is not. */
export function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function basic({ clientId, clientSecret }: TestClient): { authorization: string } {
  return { authorization: `Basic ${base64(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}` };
}

export const secretPost = ({ clientId, clientSecret }: TestClient): Record<string, string> => ({
  client_id: clientId,
  client_secret: clientSecret,
});

export type Parameters = Record<string, string> | [string, string][];

/** A form, its parameters in order and as often as they are given. */
export function submit(
  url: string,
  path: string,
  parameters: Parameters,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return request(url, path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(parameters).toString(),
  });
}

/** The answer of the token endpoint, and with other names that of `POST /issue`. */
export interface Issued {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly refresh_token?: string;
  readonly refresh_expires_in?: number;
}

/** The token that was issued; throws for any other answer. */
export function issued(answer: Answer): Issued {
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
  return answer.body as Issued;
}

export async function clientToken(
  keks: { readonly url: string },
  client: TestClient,
  parameters: Record<string, string> = {},
): Promise<Issued> {
  const form = { grant_type: 'client_credentials', ...parameters };
  return issued(await submit(keks.url, '/oauth/token', form, basic(client)));
}

export interface Login {
  readonly token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly refresh_expires_in: number;
  readonly scope: string;
}

/** `POST /issue` with `offline_access`. */
export async function stayLoggedIn(
  keks: { readonly url: string },
  user: string,
  options: { scope?: string; format?: 'jwt'; password?: string } = {},
): Promise<Login> {
  const { scope = '', password = PASSWORD, ...rest } = options;
  const body = { user, password, scope: `${scope} offline_access`.trim(), ...rest };
  const answer = await post(keks.url, '/issue', body);
  expect(answer.status).toBe(200);
  return answer.body as Login;
}

export function refresh(
  keks: { readonly url: string },
  token: string,
  parameters: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const form = { grant_type: 'refresh_token', refresh_token: token, ...parameters };
  return submit(keks.url, '/oauth/token', form, headers);
}

/** RFC 6749 §5.2 and the one shape of errors: whole, not stored, and a challenge with each 401 and with nothing else. */
export function expectRefusal(answer: Answer, status: number, error: string): void {
  expectListed(answer.status, answer.body, status, error);
  const { error_description: said } = answer.body as Record<string, string>;
  expect(said).toMatch(/^[A-Z][\x20\x21\x23-\x5b\x5d-\x7e]+\.$/);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const challenge = answer.headers.get('www-authenticate');
  if (status !== 401) expect(challenge).toBeNull();
  else expect(parseChallenges(challenge ?? '').map(({ scheme }) => scheme)).toEqual(['Basic']);
}

/** Whether the authority still takes it. */
export async function isAlive(keks: { readonly url: string }, token: string): Promise<boolean> {
  const { status } = await post(keks.url, '/validate', { token });
  if (status !== 200 && status !== 401) throw new Error(`POST /validate answered ${status}`);
  return status === 200;
}

export interface FormAnswer extends Answer {
  /** As it came. */
  readonly text: string;
}

/** The same with the text of the answer. */
export async function submitForText(
  url: string,
  path: string,
  parameters: Parameters,
  headers: Record<string, string> = {},
): Promise<FormAnswer> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(parameters).toString(),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: JSON.parse(text) };
}
