import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { NoVerdict } from './no-verdict.js';

export interface JwksOptions {
  readonly timeoutMs: number;
  /** Seconds for which keys are good without asking again. */
  readonly maxAge: number;
  /** Seconds after a fetch in which nobody asks again for a key that was not in the set. */
  readonly cooldown: number;
}

/** Milliseconds from a failed attempt to the next one. */
const RETRY_MS = 1_000;

export interface RemoteKeys {
  /** @throws JWKSNoMatchingKey for a key that is not there; NoVerdict if nobody could find out whether it is there */
  readonly find: JWTVerifyGetKey;
  /** The set that is good without asking again; undefined if there is none. A set with other keys is another object. */
  readonly inForce: () => object | undefined;
}

/**
 * The authority's keys (RFC 7517 §5): fetched when the first token comes, and kept. However many unknown key ids come, the
 * authority is asked once a cooldown; while it is away, once a second.
 */
export function remoteKeys(url: URL, { timeoutMs, maxAge, cooldown }: JwksOptions): RemoteKeys {
  let nextAttempt = 0;
  let fetched: { readonly text: string } | undefined;
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cacheMaxAge: maxAge * 1_000,
    cooldownDuration: cooldown * 1_000,
    [customFetch]: async (address, options) => {
      if (performance.now() < nextAttempt)
        throw new NoVerdict('unreachable', 'The keys of the authority could not be fetched a moment ago.');
      nextAttempt = performance.now() + RETRY_MS;
      const answer = await fetch(address, options);
      if (answer.status === 200) {
        const text = await answer.text();
        if (text !== fetched?.text) fetched = { text };
        return new Response(text, { headers: answer.headers });
      }
      await answer.body?.cancel();
      throw new NoVerdict('bad_answer', `The authority answered ${answer.status} when asked for its keys.`);
    },
  });
  return {
    async find(header, token) {
      try {
        return await keys(header, token);
      } catch (fault) {
        throw fault instanceof errors.JWKSNoMatchingKey ? fault : noKeys(fault);
      }
    },
    inForce: () => (keys.fresh && !keys.reloading ? fetched : undefined),
  };
}

function noKeys(fault: unknown): NoVerdict {
  if (fault instanceof NoVerdict) return fault;
  const cause = { cause: fault };
  if (fault instanceof errors.JWKSTimeout)
    return new NoVerdict('timed_out', 'The authority did not answer in time when asked for its keys.', cause);
  if (fault instanceof errors.JOSEError)
    return new NoVerdict('bad_answer', 'What the authority publishes as its keys cannot be used.', cause);
  return new NoVerdict('unreachable', 'The authority cannot be reached to ask for its keys.', cause);
}
