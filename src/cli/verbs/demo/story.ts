import { DEMO_USER } from '../../../auth/users/demo-identity.js';
import { Refusal } from '../../refusal.js';
import { send, shown, type Answered, type Exchange, type Question } from './exchange.js';

type Format = 'opaque' | 'jwt';

interface Scene {
  readonly told: string;
  readonly ask: (token: string | undefined) => Question;
  readonly status: number;
}

export interface Person {
  readonly user: string;
  readonly password: string;
}

const AGAIN = (token: string | undefined): Question => ({ method: 'GET', path: '/cookies', token });

const hand = (path: string) => (token: string | undefined) =>
  ({ method: 'POST', path, body: { token: token ?? '' } }) as const;

function scenes({ user, password }: Person, format: Format): readonly Scene[] {
  const body = { user, password, scope: 'cookies:eat', format };
  return [
    { told: 'Without a token there is no cookie.', ask: AGAIN, status: 401 },
    {
      told: 'A password, and there is a token.',
      ask: () => ({ method: 'POST', path: '/issue', body }),
      status: 200,
    },
    { told: 'With the token there are cookies.', ask: AGAIN, status: 200 },
    { told: 'Whoever holds it may ask whether it is alive.', ask: hand('/validate'), status: 200 },
    { told: 'And may take it back.', ask: hand('/revoke'), status: 200 },
    { told: 'From now on it is dead, on every instance.', ask: AGAIN, status: 401 },
  ];
}

/** Yields each exchange as soon as it is over. @throws Refusal if the server does not answer as in the story */
export async function* storyOf(
  url: string,
  who: Person | undefined,
  format: Format,
): AsyncGenerator<Exchange> {
  const person = who ?? DEMO_USER;
  let token: string | undefined;
  for (const { told, ask, status } of scenes(person, format)) {
    const question = ask(token);
    const answered = await send(url, question);
    if (answered.status !== status) throw unexpected(url, question, answered, who === undefined);
    if (question.path === '/issue') token = tokenOf(answered);
    const exchange = shown(told, question, answered, token);
    const inside = format === 'jwt' && question.path === '/issue' && token ? contentOf(token) : '';
    yield { ...exchange, text: exchange.text + inside };
  }
}

export function unexpected(
  url: string,
  { method, path }: Question,
  { status }: Answered,
  demo: boolean,
): Refusal {
  if (path === '/issue' && status === 401)
    return new Refusal(
      'invalid_credentials',
      demo
        ? 'This server has no demo user, as it is with DATABASE_URL: give somebody else with --user and --password-stdin.'
        : 'The user name or the password is wrong.',
    );
  if (path === '/issue' && status === 400)
    return new Refusal('invalid_scope', 'This user may not eat cookies: the scope cookies:eat is needed.');
  if (status === 429)
    return new Refusal(
      'too_many_requests',
      'Too many attempts of this user, or from this address: wait a quarter of an hour.',
    );
  if (status === 503)
    return new Refusal(
      'temporarily_unavailable',
      `${url} is not ready: try again shortly, or run "keks doctor".`,
    );
  return new Refusal(
    'server_error',
    `${method} ${path} at ${url} answered ${status}: is that a Keks that serves /cookies?`,
  );
}

/** @throws Refusal */
export function tokenOf({ body }: Answered): string {
  try {
    const { token } = JSON.parse(body) as { token?: unknown };
    if (typeof token === 'string' && token !== '') return token;
  } catch {
    // told below
  }
  throw new Refusal('server_error', 'POST /issue answered 200 without a token: is that a Keks?');
}

/** Anybody may read a JWT. Only its signature gives it any value, and that is left out. */
function contentOf(token: string): string {
  const [header, claims] = token
    .split('.')
    .slice(0, 2)
    .map((part) => Buffer.from(part, 'base64url').toString());
  return `\n  = ${header}\n  = ${claims}`;
}
