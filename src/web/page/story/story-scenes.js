/** The story in its tellings. Each scene sends what it says, and nothing else. */
import { decode, duration, verify } from './story-jwt.js';
import { LEASE_TELLING } from './story-lease.js';
import { logIn, revoke, toFactory } from './story-steps.js';

const fromApi = { from: 'api', to: 'authority', method: 'GET' };

const askWithout = {
  title: 'Ask without a token',
  way: ['client', 'api'],
  play: (stage) =>
    stage.exchange({
      ...toFactory,
      expect: 401,
      asks: 'The client asks for cookies and shows nothing.',
      tells: 'The factory refuses. Its challenge says what it wants: a bearer token that may eat cookies.',
    }),
};

const takeBack = revoke('Done. From this answer on the token is dead, on every instance.');

const askAgain = {
  title: 'Ask again',
  way: ['client', 'api'],
  play: (stage) =>
    stage.exchange({
      ...toFactory,
      token: stage.token,
      expect: 401,
      asks: 'The very same request once more.',
      inside: [
        ['validate(token)', 'The guard asks again. It has remembered nothing.'],
        ['active: false', 'Keks looks the token up, and it is revoked.'],
      ],
      tells: 'No cookies. The challenge says why: invalid_token.',
    }),
};

export const TELLINGS = {
  opaque: [
    askWithout,
    logIn({}, 'It gets a token: random characters that tell nothing to anybody but Keks.'),
    askWith('The factory cannot read the token, so its guard asks the authority.'),
    {
      title: 'The same question over HTTP',
      way: ['api', 'authority'],
      play: (stage) =>
        stage.exchange({
          ...fromApi,
          method: 'POST',
          path: 'validate',
          body: { token: stage.token },
          expect: 200,
          asks: 'An API in a process of its own asks like this. Here the page asks in its place.',
          tells: ({ body }) => `Alive, for another ${duration(body.expires_in)}.`,
        }),
    },
    takeBack,
    askAgain,
  ],
  jwt: [
    askWithout,
    {
      ...logIn(
        { format: 'jwt' },
        'It gets a JWT: three parts, of which the last is the authority’s signature.',
      ),
      title: 'Log in, for a JWT',
      after: (stage) => {
        const { header, payload } = decode(stage.token);
        return stage.note({
          at: 'client',
          label: 'decoded',
          sentence: 'Signed is not sealed: anybody who holds it can read it.',
          lines: [
            ...prettyLines('header', header, 'jwt-header'),
            [],
            ...prettyLines('payload', payload, 'jwt-payload'),
          ],
        });
      },
    },
    {
      title: 'Fetch the public keys, once',
      way: ['api', 'authority'],
      play: async (stage) => {
        const { body } = await stage.exchange({
          ...fromApi,
          path: '.well-known/jwks.json',
          label: 'GET jwks.json',
          expect: 200,
          asks: 'An API that verifies by itself needs the authority’s public keys. Here the page asks in its place.',
          tells: 'One answer for every token to come: it may be kept for as long as Cache-Control says.',
        });
        stage.keys = body;
      },
    },
    {
      title: 'Verify, and ask nobody',
      play: async (stage) =>
        offline(stage, 'The signature holds. The request to the authority is missing, and it is not missed.'),
    },
    askWith('Keks’ own factory asks the authority all the same, so that a revoked token is dead at once.'),
    takeBack,
    askAgain,
    {
      title: 'What an offline API would say now',
      play: async (stage) => {
        const left = duration(Math.floor(decode(stage.token).payload.exp - Date.now() / 1_000));
        await offline(
          stage,
          `The signature still holds: an API that asks nobody would hand out cookies for another ${left}. One whose guard holds a lease asks nobody either, and has refused it since the revoke was answered.`,
        );
      },
    },
  ],
  lease: LEASE_TELLING,
};

function askWith(why) {
  return {
    title: 'Ask with the token',
    way: ['client', 'api'],
    play: (stage) =>
      stage.exchange({
        ...toFactory,
        token: stage.token,
        expect: 200,
        asks: 'The same request, and the token with it.',
        inside: [
          ['validate(token)', why],
          ['active: true', 'Keks finds it alive, and says whose it is and what it may do.'],
        ],
        tells: ({ body }) => `${body.length === 3 ? 'Three' : body.length} cookies.`,
      }),
  };
}

async function offline(stage, sentence) {
  const checks = await verify(stage.token, stage.keys);
  await stage.note({
    at: 'api',
    missing: true,
    label: 'verifies',
    sentence: checks.some((one) => one.holds === false)
      ? 'Something does not hold: an API would refuse this token.'
      : checks.some((one) => one.holds === undefined)
        ? 'All but the signature holds, and that could not be checked here. The authority was not asked.'
        : sentence,
    lines: checks.map(({ text, holds }) => [
      holds === undefined ? { text: '– ' } : { text: holds ? '✓ ' : '✗ ', as: holds ? 'ok' : 'no' },
      { text },
    ]),
  });
}

function prettyLines(name, value, as) {
  const lines = JSON.stringify(value, null, 2).split('\n');
  return [[{ text: name, as: 'name' }], ...lines.map((text) => [{ text, as }])];
}
