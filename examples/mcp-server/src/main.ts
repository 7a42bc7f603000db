import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { All, Controller, MethodNotAllowedException, Module, Post, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CurrentPrincipal, GuardModule, RequireScope, type Principal } from 'keks-guard';
import { RemoteValidator } from 'keks-guard/remote';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';

const {
  AUTHORITY = 'http://127.0.0.1:3000',
  CLIENT_ID = '',
  CLIENT_SECRET = '',
  PORT = '4000',
} = process.env;
const { RESOURCE = `http://127.0.0.1:${PORT}/mcp` } = process.env;

/** The tools, for one caller: whoever let the program in. */
function serverFor({ subject }: Principal): McpServer {
  const server = new McpServer({ name: 'cookie-factory', version: '1.0.0' });
  server.registerTool(
    'bake',
    { description: 'Bakes cookies', inputSchema: { count: z.number().int().min(1).max(12) } },
    ({ count }) => ({ content: [{ type: 'text', text: `${'Cookie '.repeat(count)}for ${subject}` }] }),
  );
  return server;
}

@Controller('mcp')
class McpController {
  @Post()
  @RequireScope('cookies:eat')
  async call(
    @CurrentPrincipal() caller: Principal,
    @Req() request: IncomingMessage & { body: unknown },
    @Res() response: ServerResponse,
  ): Promise<void> {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    const server = serverFor(caller);
    response.on('close', () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  }

  /** Each request stands for itself: there is no stream to open, and no session to end. */
  @All()
  others(): never {
    throw new MethodNotAllowedException();
  }
}

const validator = new RemoteValidator({
  introspectionEndpoint: `${AUTHORITY}/oauth/introspect`,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
});
const guard = GuardModule.forRoot({
  realm: 'CookieFactory',
  validator,
  resource: RESOURCE,
  authorizationServers: [AUTHORITY],
  scopes: ['cookies:eat'],
});

@Module({ imports: [guard], controllers: [McpController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error', 'fatal'] });
await app.listen(PORT, '127.0.0.1');
