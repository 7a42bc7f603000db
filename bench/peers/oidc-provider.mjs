// The npm `oidc-provider` with its own in-memory store: the peer of introspection and of client credentials.
// That store keeps the newest 1,000 entries, so TOKENS must stay well below; they are printed to the file of that name.
import { writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const { PORT, CLIENTS, TOKENS, TOKENS_FILE, CLIENTS_FILE } = process.env;

const clients = Array.from({ length: Number(CLIENTS) }, (_, at) => ({
  client_id: `c-${at}`,
  client_secret: `secret-of-client-${at}-0123456789abcdef`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope: 'cookies:eat',
}));

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients,
  scopes: ['cookies:eat'],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
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

const server = provider.listen(Number(PORT), '127.0.0.1');
server.keepAliveTimeout = 65_000;
process.once('SIGTERM', () => process.exit(0));
