/** Sends requests to the server that the page came from. */

const TIMEOUT_MS = 10_000;

/** An answer that is no success, or none at all (status 0). */
export class Refusal extends Error {
  constructor(status, { error = '', error_description: text = '', parameter } = {}, retryAfter = undefined) {
    super(text || `status ${status}`);
    this.status = status;
    this.code = error;
    this.text = text;
    /** The member that it is about. */
    this.parameter = parameter;
    /** Seconds. */
    this.retryAfter = retryAfter;
  }
}

/**
 * @param path relative to this page; never with a secret in it
 * @returns the body of a success, undefined if it has none
 * @throws Refusal
 */
export async function send(method, path, { token, body, signal, keepalive } = {}) {
  const answer = await fetch(path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    keepalive: keepalive ?? false,
    signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
  }).catch(() => undefined);
  if (!answer) throw new Refusal(0);
  const parsed = parse(await answer.text().catch(() => ''));
  if (answer.ok) return parsed;
  const seconds = Number(answer.headers.get('retry-after') ?? NaN);
  throw new Refusal(answer.status, parsed, Number.isFinite(seconds) ? seconds : undefined);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
