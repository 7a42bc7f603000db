/** Sends real requests, and writes down what goes over the wire as far as a page can know it. */

const REASONS = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
const SHOWN = ['www-authenticate', 'retry-after', 'content-type', 'cache-control'];
const MATTER = new Set(['authorization', 'www-authenticate', 'retry-after']);
const TIMEOUT_MS = 10_000;

/** An answer that the story has no place for, or none at all. */
export class Interruption extends Error {
  constructor(answer) {
    super(answer ? `${answer.status}` : 'no answer');
    this.answer = answer;
  }
}

/** @returns undefined if nobody answers */
export async function send({ method, path, token, body }) {
  try {
    const answer = await fetch(path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: parsed(text) };
  } catch {
    return undefined;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A line is a list of pieces, each a text and how it is to look. */
export function requestLines({ method, path, token, body }, secret) {
  const shown = body?.password === undefined ? body : { ...body, password: secret(body.password) };
  return [
    [{ text: `${method} ${new URL(path, document.baseURI).pathname} HTTP/1.1`, as: 'start' }],
    header('Host', location.host),
    ...(token ? [header('Authorization', `Bearer ${token}`, token)] : []),
    ...(body
      ? [header('Content-Type', 'application/json'), [], bodyLine(JSON.stringify(shown), body.token)]
      : []),
  ];
}

/** @param fresh a token that is seen for the first time, and shown in full */
export function answerLines(answer, fresh) {
  if (!answer) return [[{ text: 'No answer', as: 'no' }]];
  const reason = REASONS[answer.status] ?? '';
  const present = SHOWN.filter((name) => answer.headers.has(name));
  return [
    [{ text: `HTTP/1.1 ${answer.status} ${reason}`.trim(), as: answer.status < 400 ? 'ok' : 'no' }],
    ...present.map((name) => header(name, answer.headers.get(name))),
    [],
    bodyLine(answer.text, fresh, true),
  ];
}

function header(name, value, token) {
  const as = MATTER.has(name.toLowerCase()) ? 'matters' : undefined;
  return [
    { text: `${name}: `, as: 'name' },
    ...withToken(value, token, false).map((one) => ({ as, ...one })),
  ];
}

function bodyLine(text, token, whole = false) {
  return withToken(text, token, whole);
}

function withToken(text, token, whole) {
  if (!token || !text.includes(token)) return [{ text }];
  const at = text.indexOf(token);
  return [{ text: text.slice(0, at) }, ...tokenPieces(token, whole), { text: text.slice(at + token.length) }];
}

/** A JWT in its three parts. */
export function tokenPieces(token, whole) {
  const parts = token.split('.');
  if (parts.length !== 3) return [{ text: token, as: 'token' }];
  return ['jwt-header', 'jwt-payload', 'jwt-signature'].flatMap((as, index) => {
    const text = whole ? parts[index] : `${parts[index].slice(0, 8)}…`;
    return [...(index > 0 ? [{ text: '.' }] : []), { text, as }];
  });
}
