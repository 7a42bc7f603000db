import { DEMO_USER } from '../../../auth/users/demo-identity.js';
import { Refusal } from '../../refusal.js';
import { styled } from '../../style.js';
import { send, shown, type Exchange, type Question } from './exchange.js';
import { tokenOf, unexpected, type Person } from './story.js';

/** The API that checks by itself. */
export interface Api {
  readonly clientId: string;
  readonly clientSecret: string;
}

type Validator = InstanceType<typeof import('keks-guard/jwt').JwtValidator>;

/**
 * The story of a JWT: accepted without asking the authority, revoked, dead. Yields each exchange as soon as it is over.
 * @throws Refusal
 */
export async function* leaseStoryOf(
  url: string,
  who: Person | undefined,
  api: Api,
): AsyncGenerator<Exchange> {
  const body = { ...(who ?? DEMO_USER), scope: 'cookies:eat', format: 'jwt' };
  const issue: Question = { method: 'POST', path: '/issue', body };
  const issued = await send(url, issue);
  if (issued.status !== 200) throw unexpected(url, issue, issued, who === undefined);
  const token = tokenOf(issued);
  yield shown('A password, and there is a JWT.', issue, issued, token);
  const guard = await guardOf(url, token, api);
  try {
    yield await judged(
      'A guard in this process takes its first look: it fetches keys and gets a lease.',
      guard,
      token,
      true,
    );
    yield await judged('It takes it again, and asks nobody.', guard, token, true);
    const revoke: Question = { method: 'POST', path: '/revoke', body: { token } };
    const revoked = await send(url, revoke);
    if (revoked.status !== 200) throw unexpected(url, revoke, revoked, who === undefined);
    yield shown('It is taken back. The answer waits until the guard knows.', revoke, revoked, token);
    yield await judged('From this answer on it is dead here too, and nobody was asked.', guard, token, false);
  } finally {
    await guard.onApplicationShutdown();
  }
}

/** Asks the API that the token is for, as the token says. The secret goes over plain http to this machine only. */
async function guardOf(url: string, token: string, api: Api): Promise<Validator> {
  if (url.startsWith('http:') && !/^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|$)/.test(url))
    throw new Refusal(
      'invalid_request',
      'With --lease, --url must be https: the secret of the client goes there.',
    );
  const { JwtValidator } = await import('keks-guard/jwt');
  const claims = claimsOf(token);
  const [audience = ''] = [claims.aud ?? ''].flat();
  return new JwtValidator({
    issuer: claims.iss ?? '',
    audience,
    jwksUri: `${url}/.well-known/jwks.json`,
    introspectionEndpoint: `${url}/oauth/introspect`,
    revocationsEndpoint: `${url}/oauth/revocations`,
    revocations: 'exact',
    ...api,
    timeoutMs: 5_000,
  });
}

function claimsOf(token: string): { iss?: string; aud?: string | string[] } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

async function judged(told: string, guard: Validator, token: string, wanted: boolean): Promise<Exchange> {
  const before = guard.lease?.answers.question ?? 0;
  const verdict = await guard.validate(token).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : 'unknown fault';
    throw new Refusal('temporarily_unavailable', `The guard came to no verdict: ${why}`);
  });
  const { lease } = guard;
  const asked = (lease?.answers.question ?? 0) - before;
  if (verdict.active !== wanted || asked > 0)
    throw new Refusal(
      'server_error',
      'The guard has no lease: give --lease the client_id of a client with an audience, and its secret on standard input.',
    );
  const body = `${verdict.active ? 'active' : 'revoked'}, ${Math.round(lease?.leaseMs ?? 0)} ms of the lease left, 0 questions`;
  const status = verdict.active ? 200 : 401;
  const text = [
    styled('bold', told),
    styled('cyan', `  = guard: ${token.slice(0, 12)}...`),
    styled(verdict.active ? 'green' : 'yellow', `  = ${body}`),
  ].join('\n');
  return { told, method: 'GUARD', path: 'in this process', status, challenge: null, body, text };
}
