import { LazyModuleLoader } from '@nestjs/core';
import { OperatorIssuer } from '../../src/auth/oauth/operator-issuer.js';
import { OperatorModule } from '../../src/auth/oauth/operator.module.js';
import type { IssuedToken } from '../../src/auth/tokens/issued-token.js';
import { WireError } from '../../src/http/errors/wire-error.js';
import { exchange } from './exchange.js';
import { addClient, basic, clientToken, refresh, stayLoggedIn, submit, type TestClient } from './oauth.js';
import { PASSWORD, post, type Answer, type TestApp } from './test-app.js';
import { send } from './wire.js';

/** Each place where one credential makes another, in one shape, so that one table can hold all of them to one rule. */

/** Who has what is given: a person or a client. Both have the same scope. */
export interface Owner {
  readonly kind: 'user' | 'client';
  /** What stands in the address of the administrator's route. */
  readonly id: string;
  readonly name: string;
  readonly client: TestClient;
}

export interface Made {
  readonly status: number;
  readonly error?: string;
  /** As the answer says. */
  readonly scope?: string;
  /** What can be asked about: an access token or a key. */
  readonly token?: string;
}

/** Makes one more. @param wanted scope; absent means that none is asked for */
export type Ask = (wanted?: string) => Promise<Made>;

export interface Origin {
  /** What the credential that makes is narrowed to. */
  readonly narrowed?: string;
  readonly format?: 'jwt';
}

export interface Maker {
  readonly name: string;
  readonly of: Owner['kind'];
  /** What it gives of the owner's scope when none is asked for. */
  most(scope: readonly string[]): readonly string[];
  /** What of it can never be asked for, although the owner has it. */
  readonly never: readonly string[];
  /** Whether what makes can be narrower than its owner. A password and a secret cannot. */
  readonly narrows: boolean;
  /** Whether asking anew begins with the password or the secret, and so with what the owner has at that moment. */
  readonly lives: boolean;
  start(keks: TestApp, owner: Owner, origin?: Origin): Promise<Ask>;
  /** The same with an API key in the place of what makes. */
  withKey(keks: TestApp, owner: Owner, key: string): Promise<Answer> | undefined;
}

const all = (scope: readonly string[]): readonly string[] => scope;
const withAccount = (scope: readonly string[]): readonly string[] => [...scope, 'keks:account'];
const ofKeys = (scope: readonly string[]): readonly string[] =>
  scope.filter((one) => !one.startsWith('keks:'));

function login(name: string, more: { format?: 'jwt'; offline?: boolean } = {}): Maker {
  const { offline = false, ...format } = more;
  const scopeOf = (wanted: string | undefined): { scope?: string } =>
    offline
      ? { scope: `${wanted ?? ''} offline_access`.trim() }
      : wanted === undefined
        ? {}
        : { scope: wanted };
  return {
    name,
    of: 'user',
    most: withAccount,
    never: [],
    narrows: false,
    lives: true,
    start: (keks, owner) =>
      Promise.resolve(async (wanted) =>
        made(
          await post(keks.url, '/issue', {
            user: owner.name,
            password: PASSWORD,
            ...format,
            ...scopeOf(wanted),
          }),
        ),
      ),
    withKey: (keks, owner, key) => post(keks.url, '/issue', { user: owner.name, password: key }),
  };
}

const keys: Maker = {
  name: 'POST /keys: a token makes an API key',
  of: 'user',
  most: ofKeys,
  never: ['keks:admin', 'keks:account'],
  narrows: true,
  lives: false,
  async start(keks, owner, { narrowed, format } = {}) {
    const answer = await post(keks.url, '/issue', {
      user: owner.name,
      password: PASSWORD,
      ...(narrowed !== undefined && { scope: `${narrowed} keks:account` }),
      ...(format && { format }),
    });
    const { token } = answer.body as { token: string };
    return async (scope) =>
      made(await send(keks.url, 'POST', '/keys', token, { label: 'x', password: PASSWORD, scope }));
  },
  withKey: (keks, _owner, key) =>
    send(keks.url, 'POST', '/keys', key, { label: 'x', password: PASSWORD, scope: 'cookies:eat' }),
};

const refreshed: Maker = {
  name: 'POST /oauth/token: a refresh token makes an access token, again and again',
  of: 'user',
  most: withAccount,
  never: [],
  narrows: true,
  lives: false,
  async start(keks, owner, { narrowed, format } = {}) {
    const scope = narrowed === undefined ? '' : `${narrowed} keks:account`;
    let { refresh_token: token } = await stayLoggedIn(keks, owner.name, {
      scope,
      ...(format && { format }),
    });
    return async (wanted) => {
      const answer = await refresh(keks, token, wanted === undefined ? {} : { scope: wanted });
      token = (answer.body as { refresh_token?: string }).refresh_token ?? token;
      return made(answer);
    };
  },
  withKey: (keks, _owner, key) => refresh(keks, key),
};

const clientCredentials: Maker = {
  name: 'POST /oauth/token: a client secret makes an access token',
  of: 'client',
  most: all,
  never: [],
  narrows: false,
  lives: true,
  start: (keks, { client }) => Promise.resolve((wanted) => ofClient(keks, client, wanted)),
  withKey: (keks, { client }, clientSecret) =>
    submit(
      keks.url,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      basic({ ...client, clientSecret }),
    ),
};

/** @param admin a token of an administrator */
export function rotatedSecret(admin: () => Promise<string>): Maker {
  return {
    ...clientCredentials,
    name: 'POST /admin/clients/{id}/secrets: a second secret, and what it makes',
    async start(keks, owner) {
      const path = `/admin/clients/${owner.id}/secrets`;
      const token = await admin();
      const known = (await send(keks.url, 'GET', `/admin/clients/${owner.id}`, token)).body;
      // two live at most: the older one goes first, as in a rotation
      const [, old] = (known as { secrets: { id: string }[] }).secrets;
      if (old) await send(keks.url, 'DELETE', `${path}/${old.id}`, token);
      const { body } = await send(keks.url, 'POST', path, token);
      const { client_secret: clientSecret } = body as { client_secret: string };
      return (wanted) => ofClient(keks, { ...owner.client, clientSecret }, wanted);
    },
    withKey: (keks, owner, key) => send(keks.url, 'POST', `/admin/clients/${owner.id}/secrets`, key),
  };
}

const operatorToUser: Maker = {
  name: 'keks token issue --user: the operator makes a login',
  of: 'user',
  most: withAccount,
  never: [],
  narrows: false,
  lives: true,
  start: (keks, { name }) =>
    Promise.resolve((scope) =>
      byOperator(keks, (issuer) => issuer.toUser(name, scope === undefined ? {} : { scope })),
    ),
  withKey: () => undefined,
};

const operatorToClient: Maker = {
  ...operatorToUser,
  name: 'keks token issue --client: the operator makes a client’s token',
  of: 'client',
  most: all,
  start: (keks, { id }) =>
    Promise.resolve((scope) => byOperator(keks, (issuer) => issuer.toClient(id, scope))),
};

/** Whoever may exchange tokens, and may do all that anybody here may. */
const exchanger = (keks: TestApp): Promise<TestClient> =>
  addClient(keks, {
    scope: ['cookies:eat', 'cookies:bake', 'cookies:burn', 'keks:admin', 'keks:metrics'],
    audience: [keks.config.AUDIENCE],
    tokenExchange: true,
  });

const exchangedLogin: Maker = {
  name: 'POST /oauth/token: a person’s token is exchanged',
  of: 'user',
  most: ofKeys,
  never: ['keks:admin', 'keks:account'],
  narrows: true,
  lives: false,
  async start(keks, owner, { narrowed, format } = {}) {
    const client = await exchanger(keks);
    const more = { ...(narrowed !== undefined && { scope: narrowed }), ...(format && { format }) };
    const answer = await post(keks.url, '/issue', { user: owner.name, password: PASSWORD, ...more });
    const { token } = answer.body as { token: string };
    return async (scope) => made(await exchange(keks, client, token, scope === undefined ? {} : { scope }));
  },
  withKey: async (keks, _owner, key) => exchange(keks, await exchanger(keks), key),
};

const exchangedClient: Maker = {
  ...exchangedLogin,
  name: 'POST /oauth/token: a client’s token is exchanged',
  of: 'client',
  narrows: false,
  async start(keks, owner) {
    const client = await exchanger(keks);
    const { access_token: token } = await clientToken(keks, owner.client);
    return async (scope) => made(await exchange(keks, client, token, scope === undefined ? {} : { scope }));
  },
};

const exchangedAgain: Maker = {
  ...exchangedLogin,
  name: 'POST /oauth/token: a token that was exchanged is exchanged once more',
  async start(keks, owner, origin) {
    const first = await (await exchangedLogin.start(keks, owner, origin))();
    const client = await exchanger(keks);
    return async (scope) =>
      made(await exchange(keks, client, first.token ?? '', scope === undefined ? {} : { scope }));
  },
};

export const MAKERS: readonly Maker[] = [
  login('POST /issue: a password makes a login'),
  login('POST /issue: a password makes a login with a JWT', { format: 'jwt' }),
  login('POST /issue: a password makes a login with a refresh token', { offline: true }),
  keys,
  refreshed,
  clientCredentials,
  exchangedLogin,
  exchangedClient,
  exchangedAgain,
  operatorToUser,
  operatorToClient,
];

async function ofClient(keks: TestApp, client: TestClient, scope: string | undefined): Promise<Made> {
  const form = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
  return made(await submit(keks.url, '/oauth/token', form, basic(client)));
}

async function byOperator(
  keks: TestApp,
  issue: (issuer: OperatorIssuer) => Promise<IssuedToken | undefined>,
): Promise<Made> {
  try {
    // a server has none
    const operator = await keks.app.get(LazyModuleLoader).load(() => OperatorModule);
    const issued = await issue(operator.get(OperatorIssuer));
    return issued ? { status: 200, scope: issued.scope, token: issued.token } : { status: 404 };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { status: error.getStatus(), error: error.code };
  }
}

function made({ status, body }: Answer): Made {
  const { error, scope, token, access_token: access, key } = body as Record<string, string | undefined>;
  const credential = token ?? access ?? key;
  return {
    status,
    ...(error !== undefined && { error }),
    ...(scope !== undefined && { scope }),
    ...(credential !== undefined && { token: credential }),
  };
}
