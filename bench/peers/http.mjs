// The same answer from Node's own http module: what any Node server can do at most.
import { createServer } from 'node:http';

const body = '["Cookie","Cookie","Cookie"]';

createServer((_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}).listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
