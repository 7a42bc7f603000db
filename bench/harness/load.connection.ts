import { connect, type Socket } from 'node:net';

/** Told of every answer, and asked for the next request: undefined ends the connection. */
export interface Caller {
  next(): Buffer | undefined;
  /** @param answer whole; to be read at once, because its bytes are written over */
  answered(status: number, microseconds: number, answer: Buffer): void;
  broken(reason: string): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const BUFFER_BYTES = 64 * 1_024;

export function openConnection(port: number, caller: Caller): void {
  void new LoadConnection(port, caller);
}

/**
 * One keep-alive connection with one request in flight (no pipelining). It reads only what it must: the status and where
 * the answer ends. An answer that is as long as the one before it, with its head ending at the same place, needs no more.
 */
class LoadConnection {
  private readonly socket: Socket;
  private sentAt = 0;
  private partial: Buffer | undefined;
  private knownLength = -1;
  private knownHead = -1;
  private over = false;

  constructor(
    port: number,
    private readonly caller: Caller,
  ) {
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback: (bytes, chunk) => this.read(bytes, chunk),
      },
    });
    this.socket.once('connect', () => this.send());
    this.socket.once('error', (error) => this.fail(error.message));
    this.socket.once('close', () => this.fail('closed by the server'));
  }

  private send(): void {
    const request = this.caller.next();
    if (request === undefined) {
      this.over = true;
      this.socket.destroy();
      return;
    }
    this.sentAt = performance.now();
    this.socket.write(request);
  }

  private read(bytes: number, chunk: Uint8Array): boolean {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, bytes);
    if (this.partial === undefined && bytes === this.knownLength && endsAt(buffer, this.knownHead))
      this.finish(buffer);
    else this.readSlowly(buffer);
    return true;
  }

  private readSlowly(chunk: Buffer): void {
    const all = this.partial === undefined ? chunk : Buffer.concat([this.partial, chunk]);
    const headEnd = all.indexOf(HEAD_END);
    const length = headEnd === -1 ? undefined : LENGTH.exec(all.toString('latin1', 0, headEnd))?.[1];
    if (headEnd !== -1 && length === undefined) return this.fail('an answer without Content-Length');
    const end = headEnd + HEAD_END.length + Number(length ?? 0);
    if (headEnd === -1 || all.length < end) {
      this.partial = Buffer.from(all);
      return;
    }
    this.partial = undefined;
    this.knownLength = end;
    this.knownHead = headEnd;
    this.finish(all);
  }

  private finish(answer: Buffer): void {
    const status = (answer[9]! - 48) * 100 + (answer[10]! - 48) * 10 + (answer[11]! - 48);
    this.caller.answered(status, (performance.now() - this.sentAt) * 1_000, answer);
    this.send();
  }

  private fail(reason: string): void {
    if (this.over) return;
    this.over = true;
    this.socket.destroy();
    this.caller.broken(reason);
  }
}

function endsAt(buffer: Buffer, at: number): boolean {
  return buffer[at] === 13 && buffer[at + 1] === 10 && buffer[at + 2] === 13 && buffer[at + 3] === 10;
}
