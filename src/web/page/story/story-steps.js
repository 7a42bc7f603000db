/** Scenes that several tellings have. */

export const toFactory = { from: 'client', to: 'api', method: 'GET', path: 'cookies' };
const toAuthority = { from: 'client', to: 'authority' };

export function logIn(wishes, tells) {
  return {
    title: 'Log in',
    way: ['client', 'authority'],
    play: (stage) =>
      stage.exchange({
        ...toAuthority,
        method: 'POST',
        path: 'issue',
        body: { ...stage.credentials, ...wishes },
        expect: 200,
        asks: 'The client proves who it is: to the authority, never to the factory.',
        tells,
        fresh: (answer) => answer.body.token,
      }),
  };
}

export function revoke(tells) {
  return {
    title: 'Take the token back',
    way: ['client', 'authority'],
    play: async (stage) => {
      await stage.exchange({
        ...toAuthority,
        method: 'POST',
        path: 'revoke',
        body: { token: stage.token },
        expect: 200,
        asks: 'Whoever holds a token may revoke it, and needs nothing else for that.',
        tells,
      });
      stage.revoked = true;
    },
  };
}
