import { DEMO_USER } from '../../../auth/users/demo-identity.js';
import { Refusal } from '../../refusal.js';
import { send, shown, type Answered, type Exchange, type Question } from './exchange.js';
import { tokenOf, unexpected, type Person } from './story.js';

const ASK = (token: string): Question => ({ method: 'GET', path: '/cookies/by-lease', token });
const GUARD: Question = { method: 'GET', path: '/cookies/by-lease/guard' };

/** The same with the API that a server brings for its story, whose guard knows its authority over HTTP only. @throws Refusal */
export async function* leasedApiStoryOf(url: string, who: Person | undefined): AsyncGenerator<Exchange> {
  const answeredWith = async (question: Question, status: number): Promise<Answered> => {
    const answered = await send(url, question);
    if (answered.status === 404) throw missing(url);
    if (answered.status !== status) throw unexpected(url, question, answered, who === undefined);
    return answered;
  };
  const issue: Question = {
    method: 'POST',
    path: '/issue',
    body: { ...(who ?? DEMO_USER), scope: 'cookies:eat', format: 'jwt' },
  };
  const issued = await answeredWith(issue, 200);
  const token = tokenOf(issued);
  const scenes: readonly [string, Question, number][] = [
    ['An API takes it whose guard holds a lease, and asks nobody.', ASK(token), 200],
    ['How often the guard has asked about a token: "question".', GUARD, 200],
    [
      'It is taken back. The answer waits until the guard knows.',
      { method: 'POST', path: '/revoke', body: { token } },
      200,
    ],
    ['From this answer on it is dead there.', ASK(token), 401],
    ['One more was "refused" from memory, and still nobody was asked.', GUARD, 200],
  ];
  yield shown('A password, and there is a JWT.', issue, issued, token);
  for (const [told, question, status] of scenes)
    yield shown(told, question, await answeredWith(question, status), token);
}

function missing(url: string): Refusal {
  return new Refusal(
    'not_found',
    `${url} has no API with a lease: only a server with the embedded database and without a certificate of its own brings one. Give --lease the client_id of a client with an audience, and its secret on standard input.`,
  );
}
