import { expect } from 'vitest';
import { submit, type Parameters } from './oauth.js';
import { PASSWORD, type Answer } from './test-app.js';
import { hiddenOf, type Shown, type Visitor } from './visitor.js';

/** A device that asks, and a person who types its code at /device. */

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export interface Codes {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

export const askForCodes = (
  url: string,
  parameters: Parameters,
  headers: Record<string, string> = {},
): Promise<Answer> => submit(url, '/oauth/device_authorization', parameters, headers);

export const poll = (
  url: string,
  deviceCode: string,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  submit(url, '/oauth/token', { grant_type: DEVICE_GRANT, device_code: deviceCode, ...parameters }, headers);

/** The codes that were given; throws for any other answer. */
export function codesOf(answer: Answer): Codes {
  expect(answer.status).toBe(200);
  return answer.body as Codes;
}

export function sendForm(
  visitor: Visitor,
  page: Shown,
  form: 'login' | 'code' | 'consent' | 'sign-out',
  fields: Record<string, string> = {},
): Promise<Shown> {
  return visitor.open(`/device/${form}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...hiddenOf(page, form), ...fields }).toString(),
  });
}

/** From the first page to the one on which a code is asked for. */
export async function signInAtDevice(
  visitor: Visitor,
  user: string,
  path = '/device',
  password = PASSWORD,
): Promise<Shown> {
  const page = await visitor.open(path);
  if (!page.text.includes('name="password"')) return page;
  const answer = await sendForm(visitor, page, 'login', { user, password });
  if (answer.status !== 303) return answer;
  return visitor.open((answer.location ?? '').replace('../', '/'));
}

/** From the code to the page on which a person decides, or to that which says why not. */
export async function typeCode(visitor: Visitor, user: string, code: string): Promise<Shown> {
  return sendForm(visitor, await signInAtDevice(visitor, user), 'code', { user_code: code });
}

export async function decide(
  visitor: Visitor,
  user: string,
  code: string,
  decision: 'allow' | 'deny' = 'allow',
): Promise<Shown> {
  return sendForm(visitor, await typeCode(visitor, user, code), 'consent', { decision });
}
