import { UnauthorizedError, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const { SERVER = 'http://127.0.0.1:4000/mcp', CALLBACK_PORT = '4711' } = process.env;

/** What a client has to keep. A real one keeps it where nobody else reads. */
class Keeper implements OAuthClientProvider {
  readonly redirectUrl = `http://127.0.0.1:${CALLBACK_PORT}/callback`;
  readonly clientMetadata = {
    client_name: 'Cookie Client',
    redirect_uris: [this.redirectUrl],
    token_endpoint_auth_method: 'none',
  };
  readonly sent = randomUUID();
  private client: OAuthClientInformationMixed | undefined;
  private held: OAuthTokens | undefined;
  private verifier = '';
  readonly state = () => this.sent;
  readonly clientInformation = () => this.client;
  readonly saveClientInformation = (client: OAuthClientInformationMixed) => void (this.client = client);
  readonly tokens = () => this.held;
  readonly saveTokens = (tokens: OAuthTokens) => void (this.held = tokens);
  readonly codeVerifier = () => this.verifier;
  readonly saveCodeVerifier = (verifier: string) => void (this.verifier = verifier);
  readonly redirectToAuthorization = (url: URL) => console.log(`Open this in a browser:\n${url.href}`);
}

/** Waits for the browser to come back with the code. */
function codeFor(keeper: Keeper): Promise<string> {
  return new Promise((resolve, reject) => {
    const listener = createServer((request, response) => {
      const query = new URL(request.url ?? '/', keeper.redirectUrl).searchParams;
      const code = query.get('code');
      const good = code !== null && query.get('state') === keeper.sent;
      response.end(good ? 'Done: go back to the terminal.' : 'That did not work.');
      listener.close();
      if (good) resolve(code);
      else reject(new Error(query.get('error') ?? 'another state'));
    }).listen(Number(CALLBACK_PORT), '127.0.0.1');
  });
}

const keeper = new Keeper();
const connected = async (): Promise<Client> => {
  const client = new Client({ name: 'cookie-client', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(SERVER), { authProvider: keeper });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(await codeFor(keeper));
    return connected();
  }
  return client;
};

const client = await connected();
const { content } = await client.callTool({ name: 'bake', arguments: { count: 3 } });
console.log(JSON.stringify(content));
await client.close();
