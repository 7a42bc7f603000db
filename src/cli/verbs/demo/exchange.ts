import { Refusal } from '../../refusal.js';
import { styled } from '../../style.js';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: Readonly<Record<string, string>>;
}

/** One request and its answer, without secrets: it shows the beginning of a token, and nothing of a password. */
export interface Exchange {
  readonly told: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly challenge: string | null;
  readonly body: string;
  /** For people. */
  readonly text: string;
}

export interface Answered {
  readonly status: number;
  readonly statusText: string;
  readonly challenge: string | null;
  readonly body: string;
}

const PATIENCE_MS = 5_000;

/** @throws Refusal when nothing answers */
export async function send(url: string, { method, path, token, body }: Question): Promise<Answered> {
  try {
    const answer = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { status, statusText, headers } = answer;
    return { status, statusText, challenge: headers.get('www-authenticate'), body: await answer.text() };
  } catch (error) {
    throw new Refusal(
      'temporarily_unavailable',
      `Nothing answers at ${url}${reason(error)}: start Keks with "npm start" in another terminal, or say where it is with --url.`,
      { cause: error },
    );
  }
}

/** @param secret the token, of which only the beginning is shown */
export function shown(
  told: string,
  question: Question,
  answered: Answered,
  secret: string | undefined,
): Exchange {
  const hide = (text: string): string =>
    secret === undefined ? text : text.replaceAll(secret, `${secret.slice(0, 12)}...`);
  const { method, path, token, body } = question;
  const sent = [
    `${method} ${path}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(body ? [JSON.stringify({ ...body, ...('password' in body && { password: '********' }) })] : []),
  ];
  const { status, statusText, challenge } = answered;
  const came = [
    `${status} ${statusText}`.trimEnd(),
    ...(challenge === null ? [] : [`WWW-Authenticate: ${challenge}`]),
    answered.body,
  ];
  const text = [
    styled('bold', told),
    ...sent.map((line) => styled('cyan', `  > ${hide(line)}`)),
    ...came.map((line) => styled(status < 400 ? 'green' : 'yellow', `  < ${hide(line)}`)),
  ].join('\n');
  return { told, method, path, status, challenge, body: hide(answered.body), text };
}

/** In brackets, as the system calls it. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}
