// The trivial server of the generator's own ceiling: the answer of `GET /cookies`, never parsed for, always the same.
import { createServer } from 'node:net';

const body = '["Cookie","Cookie","Cookie"]';
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\n` +
    `date: ${new Date().toUTCString()}\r\nconnection: keep-alive\r\n\r\n${body}`,
);

createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(answer));
  socket.on('error', () => undefined);
}).listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
