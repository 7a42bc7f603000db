/** A JWT, no question asked, revoked, dead: the API is one whose guard holds a lease. */
import { logIn, revoke, toFactory } from './story-steps.js';

const toLeased = { ...toFactory, path: 'cookies/by-lease' };

/** What the guard has done since it was started, for whoever wants to see that nobody was asked. */
function askGuard(title, sentence) {
  return {
    title,
    way: ['client', 'api'],
    play: async (stage) => {
      const before = stage.guard;
      const { body } = await stage.exchange({
        ...toLeased,
        path: 'cookies/by-lease/guard',
        label: 'GET guard',
        expect: 200,
        asks: 'Whoever wants to know may ask this API what its guard has done.',
        tells: ({ body: now }) => sentence(now, before),
      });
      stage.guard = body;
    },
  };
}

function askLeased(title, expect, why, tells) {
  return {
    title,
    way: ['client', 'api'],
    play: async (stage) => {
      await stage.exchange({
        ...toLeased,
        token: stage.token,
        expect,
        asks: 'An API whose guard holds a lease, and the token with the request.',
        tells,
      });
      await stage.note({ at: 'api', missing: true, label: 'looks by itself', sentence: why, lines: [] });
    },
  };
}

export const LEASE_TELLING = [
  {
    ...logIn(
      { format: 'jwt' },
      'It gets a JWT, good for an hour, which anybody can check who has the public keys.',
    ),
    title: 'Log in, for a JWT',
  },
  askLeased(
    'Ask an API that asks nobody',
    200,
    'Signature and claims hold, and nothing that was taken back is this token. That it knows all of it is its lease: until it ends, nobody is told that a revoke is done which this guard has not heard of.',
    'Three cookies.',
  ),
  askGuard(
    'See that nobody was asked',
    ({ lease_ms: left, answers }) =>
      `So far: taken from memory ${times(answers.memory)}, asked about a token ${times(answers.question)}. Of its lease ${left} ms are left; it is renewed all the time, with one request for however many tokens.`,
  ),
  revoke(
    'Done. The answer has waited until the guard had heard of it: a few milliseconds. Had it hung, until its lease was over.',
  ),
  askLeased(
    'Ask again, at once',
    401,
    'The signature still holds, and the token is among those that were taken back. Again nobody was asked.',
    'No cookies. The JWT would have been good for the rest of the hour.',
  ),
  askGuard('Count the questions', ({ answers }, before) => {
    const asked = answers.question - before.answers.question;
    return `Since the last look: refused from memory ${times(answers.refused - before.answers.refused)}, asked about a token ${times(asked)}.`;
  }),
];

function times(count) {
  return ['never', 'once', 'twice'][count] ?? `${count} times`;
}
