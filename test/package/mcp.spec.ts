import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, Visitor } from '../support/visitor.js';
import { emptyFolder, install, pack, run, start, type Program } from './support.js';

const EXAMPLE = 'examples/mcp-server';
const DEMO = ['CookieDestroyer', 'U+1F36A'] as const;

/** As much of the SDK as is used here. It is installed beside the example, and no dependency of Keks. */
interface Sdk {
  readonly Client: new (info: object) => {
    connect(transport: object): Promise<void>;
    callTool(call: object): Promise<{ content: unknown }>;
    close(): Promise<void>;
  };
  readonly StreamableHTTPClientTransport: new (
    url: URL,
    options: object,
  ) => { finishAuth(code: string): Promise<void> };
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly scope: string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe('examples/mcp-server', () => {
  const folder = emptyFolder();
  const app = join(folder.path, 'mcp-server');
  const programs: Program[] = [];
  let environment: Record<string, string>;
  let issuer: string;
  let resource: string;
  let sdk: Sdk;

  beforeAll(async () => {
    cpSync(EXAMPLE, app, { recursive: true, filter: (path) => !/node_modules|dist/.test(path) });
    cpSync(pack(folder.path, 'keks-guard'), join(app, 'keks-guard-0.1.0.tgz'));
    install(app);
    run(app, process.execPath, resolve('node_modules/typescript/bin/tsc'));
    run('.', process.execPath, 'scripts/build.mjs', '--fast');
    const load = (path: string): Promise<object> =>
      import(pathToFileURL(join(app, 'node_modules/@modelcontextprotocol/sdk/dist/esm/client', path)).href);
    sdk = { ...(await load('index.js')), ...(await load('streamableHttp.js')) } as Sdk;
    const [authority, server] = [await freePort(), await freePort()];
    issuer = `http://127.0.0.1:${authority}`;
    resource = `http://127.0.0.1:${server}/mcp`;
    environment = { HOME: folder.path, DATA_DIR: join(folder.path, 'data'), PORT: String(authority) };
    const keks = {
      ...environment,
      REGISTRATION: 'open',
      REGISTRATION_SCOPE: 'cookies:eat',
      REGISTRATION_RESOURCES: resource,
    };
    programs.push(await start('.', [process.execPath, 'dist/src/main.js'], keks, `${issuer}/health/ready`));
    const [id, secret] = await addServer();
    const own = { AUTHORITY: issuer, PORT: String(server), CLIENT_ID: id, CLIENT_SECRET: secret };
    programs.push(await start(app, [process.execPath, 'dist/main.js'], own, resource));
  });

  afterAll(async () => {
    for (const program of programs.toReversed()) await program.stop();
    folder.remove();
  });

  async function addServer(): Promise<[string, string]> {
    const child = spawn(
      process.execPath,
      ['dist/src/cli.js', '--json', 'client', 'add', 'Tools', '--audience', resource],
      { env: { PATH: process.env['PATH'] ?? '', ...environment } },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    const { client_id: id, client_secret: secret } = JSON.parse(output) as Record<string, string>;
    return [id ?? '', secret ?? ''];
  }

  /** A person who says yes. @returns what came back to the client's address */
  async function allow(url: URL): Promise<Record<string, string>> {
    const visitor = new Visitor(issuer);
    const page = await visitor.signIn(await visitor.open(url.pathname + url.search), ...DEMO);
    expect(page.text).toContain('Nobody here has checked who this is');
    expect(page.text).toContain(`at ${resource}`);
    return answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
  }

  it('has fewer than 80 lines of its own', () => {
    expect(readFileSync(join(EXAMPLE, 'src/main.ts'), 'utf8').split('\n').length).toBeLessThan(80);
  });

  it('401: leads a client without a token to Keks (RFC 9728 §5.1), and serves one method only', async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const refused = await fetch(resource, init);
    expect(refused.status).toBe(401);
    const metadata = `${new URL(resource).origin}/.well-known/oauth-protected-resource/mcp`;
    expect(refused.headers.get('www-authenticate')).toContain(`resource_metadata="${metadata}"`);
    expect(await (await fetch(metadata)).json()).toMatchObject({ resource, authorization_servers: [issuer] });
  });

  it("the SDK's own client: discovery from the 401, registration, code and PKCE, a tool, refresh, the end", async () => {
    const kept: { client?: { client_id: string }; tokens?: Tokens; verifier?: string; url?: URL } = {};
    const provider = {
      redirectUrl: 'http://127.0.0.1:9/callback',
      clientMetadata: {
        client_name: 'Agent',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        scope: 'cookies:eat offline_access',
      },
      state: () => 'a-state',
      clientInformation: () => kept.client,
      saveClientInformation: (client: { client_id: string }) => void (kept.client = client),
      tokens: () => kept.tokens,
      saveTokens: (tokens: Tokens) => void (kept.tokens = tokens),
      codeVerifier: () => kept.verifier ?? '',
      saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
      redirectToAuthorization: (url: URL) => void (kept.url = url),
      invalidateCredentials: () => void delete kept.tokens,
    };
    const transport = () =>
      new sdk.StreamableHTTPClientTransport(new URL(resource), { authProvider: provider });
    const client = () => new sdk.Client({ name: 'agent', version: '1' });

    const first = transport();
    await expect(client().connect(first)).rejects.toThrow(/unauthorized/i);
    expect(kept.client?.client_id).toMatch(/^c-/);
    const asked = Object.fromEntries(kept.url?.searchParams ?? []);
    expect(asked).toMatchObject({ resource, code_challenge_method: 'S256', state: 'a-state' });
    // the SDK asks for what the server's challenge names; a client that wants to stay adds offline_access
    kept.url?.searchParams.set('scope', 'cookies:eat offline_access');
    const { code, iss, state } = await allow(kept.url as URL);
    expect([iss, state]).toEqual([issuer, 'a-state']);
    await first.finishAuth(code ?? '');
    expect(kept.tokens).toMatchObject({ scope: 'cookies:eat' });

    const connected = client();
    await connected.connect(transport());
    const bake = () => connected.callTool({ name: 'bake', arguments: { count: 2 } });
    expect((await bake()).content).toEqual([
      { type: 'text', text: expect.stringMatching(/^Cookie Cookie for /) },
    ]);

    // the access token dies; the client refreshes by itself and calls again
    const before = kept.tokens as Tokens;
    const revoke = { method: 'POST', headers: { 'content-type': 'application/json' } };
    await fetch(`${issuer}/revoke`, { ...revoke, body: JSON.stringify({ token: before.access_token }) });
    expect((await bake()).content).toHaveLength(1);
    expect(kept.tokens?.access_token).not.toBe(before.access_token);
    expect(kept.tokens?.refresh_token).not.toBe(before.refresh_token);

    // for this server, and for no other: Keks's own API refuses it
    const elsewhere = { headers: { authorization: `Bearer ${kept.tokens?.access_token}` } };
    expect((await fetch(`${issuer}/cookies`, elsewhere)).status).toBe(401);

    // the refresh token's end is the end: the person would be asked again
    await fetch(`${issuer}/revoke`, {
      ...revoke,
      body: JSON.stringify({ token: kept.tokens?.refresh_token }),
    });
    delete kept.url;
    await expect(bake()).rejects.toThrow();
    expect(kept.url).toBeInstanceOf(URL);
    await connected.close();
  });

  it('its client does what docs/mcp.md says', async () => {
    const callback = await freePort();
    const child = spawn(process.execPath, ['dist/client.js'], {
      cwd: app,
      env: { PATH: process.env['PATH'] ?? '', SERVER: resource, CALLBACK_PORT: String(callback) },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, 'close');
    await expect.poll(() => /http:\S+/.exec(output)?.[0], { timeout: 90_000 }).toBeTruthy();
    const { code, state } = await allow(new URL(/http:\S+/.exec(output)?.[0] ?? ''));
    await fetch(
      `http://127.0.0.1:${callback}/callback?${new URLSearchParams({ code: code ?? '', state: state ?? '' })}`,
    );
    expect(await ended, output).toEqual([0, null]);
    expect(output).toContain('Cookie Cookie Cookie for');
  });
});
