// The npm `oidc-provider` with its own in-memory store: the peer of introspection and of client credentials.
// That store keeps the newest 1,000 entries, so TOKENS must stay well below; they are printed to the file of that name.
// With CODES or JKT it is the peer of what people allow, on a `Map` that keeps all of it.
import { writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const { PORT, CLIENTS, TOKENS, TOKENS_FILE, CLIENTS_FILE } = process.env;
const { CODES, CODES_FILE, JKT, USERINFO_FILE, APP, REDIRECT, CHALLENGE } = process.env;
const PEOPLE = Boolean(CODES ?? JKT);
const LASTS = 7_200;

const entries = new Map();

/** As little as a store can do. */
class MapAdapter {
  constructor(kind) {
    this.kind = kind;
  }
  key(id) {
    return `${this.kind} ${id}`;
  }
  async upsert(id, payload) {
    entries.set(this.key(id), payload);
  }
  async find(id) {
    return entries.get(this.key(id));
  }
  async findByUid() {
    return undefined;
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id) {
    entries.get(this.key(id)).consumed = Math.floor(Date.now() / 1_000);
  }
  async destroy(id) {
    entries.delete(this.key(id));
  }
  async revokeByGrantId() {}
}

const clients = Array.from({ length: Number(CLIENTS) }, (_, at) => ({
  client_id: `c-${at}`,
  client_secret: `secret-of-client-${at}-0123456789abcdef`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope: 'cookies:eat',
}));
const app = {
  client_id: APP,
  grant_types: ['authorization_code'],
  redirect_uris: [REDIRECT],
  response_types: ['code'],
  scope: 'openid cookies:eat',
  token_endpoint_auth_method: 'none',
};

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [...clients, ...(PEOPLE ? [app] : [])],
  scopes: ['cookies:eat', ...(PEOPLE ? ['openid'] : [])],
  ...(PEOPLE && {
    adapter: MapAdapter,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  }),
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
    ...(JKT && { dPoP: { enabled: true } }),
  },
});

const [first] = clients;
const client = await provider.Client.find(first.client_id);
const tokens = [];
for (let at = 0; at < Number(TOKENS); at += 1)
  tokens.push(await new provider.ClientCredentials({ client, scope: 'cookies:eat' }).save());
writeFileSync(TOKENS_FILE, tokens.join('\n'));
writeFileSync(
  CLIENTS_FILE,
  clients.map((one) => Buffer.from(`${one.client_id}:${one.client_secret}`).toString('base64')).join('\n'),
);

/** A person's yes to the app. */
async function grantOf(accountId, scope) {
  const grant = new provider.Grant({ accountId, clientId: APP });
  grant.addOIDCScope(scope);
  return grant.save(LASTS);
}

if (CODES) {
  const codes = [];
  for (let at = 0; at < Number(CODES); at += 1) {
    const accountId = `user${at % 1_000}`;
    const code = new provider.AuthorizationCode({
      accountId,
      client: await provider.Client.find(APP),
      grantId: await grantOf(accountId, 'cookies:eat'),
      redirectUri: REDIRECT,
      scope: 'cookies:eat',
      codeChallenge: CHALLENGE,
      codeChallengeMethod: 'S256',
      expiresIn: LASTS,
    });
    codes.push(await code.save(LASTS));
  }
  writeFileSync(CODES_FILE, codes.join('\n'));
}

if (JKT) {
  const given = {
    accountId: 'user1',
    client: await provider.Client.find(APP),
    grantId: await grantOf('user1', 'openid'),
    scope: 'openid',
    expiresIn: LASTS,
  };
  const bearer = new provider.AccessToken(given);
  const bound = new provider.AccessToken(given);
  bound.setThumbprint('jkt', JKT);
  writeFileSync(USERINFO_FILE, [await bearer.save(LASTS), await bound.save(LASTS)].join('\n'));
}

const server = provider.listen(Number(PORT), '127.0.0.1');
server.keepAliveTimeout = 65_000;
process.once('SIGTERM', () => process.exit(0));
