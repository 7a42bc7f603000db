import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { newRequestId } from '../request-id.js';
import { WIRE_ERRORS } from './wire-error.js';

const [, DESCRIPTION] = WIRE_ERRORS.invalid_request;
const BODY = JSON.stringify({ error: 'invalid_request', error_description: DESCRIPTION });

const STATUS_LINES: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/**
 * Answers a request that Node's parser refuses before there is a request object: unknown methods, two lengths, headers
 * that are too large or too slow. Then always closes the connection: the end of this request is unknown, so nothing
 * after it can be trusted (request smuggling, RFC 9112 §6.3).
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable && mayAnswer(socket)) {
    socket.write(
      `HTTP/1.1 ${STATUS_LINES[error.code ?? ''] ?? '400 Bad Request'}\r\n` +
        `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(BODY)}\r\n` +
        `Cache-Control: no-store\r\nX-Request-Id: ${newRequestId()}\r\nConnection: close\r\n\r\n${BODY}`,
    );
  }
  socket.destroy();
}

/** False while an earlier request on this connection waits: its client would take this answer as its own. */
function mayAnswer(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  const pending = socket._httpMessage;
  return pending == null || (!pending.headersSent && !pending.req.complete);
}
