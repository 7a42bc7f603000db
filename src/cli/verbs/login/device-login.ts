import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../../refusal.js';
import { styledError } from '../../style.js';
import { sendForm, type Authority, type Said } from './authority.js';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8628 §3.2: if the server does not say. */
const PAUSE_SECONDS = 5;

export interface DeviceLogin {
  readonly clientId: string;
  readonly scope: string | undefined;
  readonly resource: string | undefined;
}

/** RFC 8628, seen from the device. @returns the answer of the token endpoint @throws Refusal */
export async function deviceLogin(
  authority: Authority,
  { clientId, scope, resource }: DeviceLogin,
): Promise<Said['body']> {
  const asked = await sendForm(authority.device_authorization_endpoint, {
    client_id: clientId,
    ...(scope !== undefined && { scope }),
    ...(resource !== undefined && { resource }),
  });
  const { device_code: code, user_code: shown, verification_uri: address, expires_in: lasts } = asked.body;
  if (
    asked.status !== 200 ||
    typeof code !== 'string' ||
    typeof shown !== 'string' ||
    typeof address !== 'string'
  )
    throw refusalOf(asked);
  tell(shown, address, asked.body['verification_uri_complete']);
  const until = performance.now() + (typeof lasts === 'number' ? lasts : 300) * 1_000;
  const form = { grant_type: DEVICE_GRANT, device_code: code, client_id: clientId };
  return poll(() => sendForm(authority.token_endpoint, form), asked.body['interval'], until);
}

/** On standard error: standard output is for the answer. */
function tell(code: string, address: string, complete: unknown): void {
  const lines = [
    `Open ${styledError('cyan', plain(address))} in a browser, on any device, and type the code`,
    '',
    `    ${styledError('bold', plain(code))}`,
    '',
    ...(typeof complete === 'string' ? [`or open ${plain(complete)} and compare the code.`] : []),
    'Waiting for you there. Ctrl-C ends it.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** What a server says may not steer the terminal. */
function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 500);
}

async function poll(ask: () => Promise<Said>, interval: unknown, until: number): Promise<Said['body']> {
  let pause = typeof interval === 'number' && interval > 0 ? interval : PAUSE_SECONDS;
  for (;;) {
    await sleep(pause * 1_000);
    const said = await ask().catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'temporarily_unavailable') return undefined;
      throw error;
    });
    if (said?.status === 200) return said.body;
    const error = said?.body['error'];
    if (error === 'slow_down') pause += 5;
    // §3.5: if the server cannot answer, the wait grows each time
    else if (!said || said.status >= 500 || said.status === 429) pause *= 2;
    else if (error !== 'authorization_pending') throw refusalOf(said);
    if (performance.now() > until)
      throw new Refusal('expired_token', 'Nobody decided in time: log in again.');
  }
}

const KNOWN = [
  'access_denied',
  'expired_token',
  'invalid_client',
  'invalid_scope',
  'invalid_target',
] as const;
const CODES = [
  ...KNOWN,
  'unauthorized_client',
  'invalid_grant',
  'too_many_requests',
  'invalid_request',
] as const;

/** In the server's words. */
export function refusalOf({ status, body }: Said): Refusal {
  const code = CODES.find((one) => one === body['error']) ?? 'temporarily_unavailable';
  const said = body['error_description'];
  return new Refusal(code, typeof said === 'string' ? plain(said) : `The server answered ${status}.`);
}
