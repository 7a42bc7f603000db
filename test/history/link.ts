import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

type Mode = 'pass' | 'delay' | 'black-hole' | 'pause' | 'cut';

/**
 * The network between a server and its database: a TCP proxy that can delay what passes, hold it back, swallow it without
 * a word, or cut every connection and take no new ones.
 */
export class Link {
  private mode: Mode = 'pass';
  private delayMs = 0;
  private readonly pairs = new Set<[Socket, Socket]>();
  private readonly held: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: () => string | number,
  ) {}

  /** @param target path of the database's socket, or a port here; asked for at each connection */
  static async open(target: () => string | number): Promise<Link> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const link = new Link(server, target);
    server.on('connection', (client) => link.accept(client));
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  heal(): void {
    this.mode = 'pass';
    // what was swallowed is lost, and so is the conversation that it belonged to
    for (const pair of this.pairs) this.drop(pair);
  }

  delay(ms: number): void {
    this.mode = 'delay';
    this.delayMs = ms;
  }

  blackHole(): void {
    this.mode = 'black-hole';
  }

  /** What is sent meanwhile arrives at `resume`, late: the other side may do then what nobody waits for any more. */
  pause(): void {
    this.mode = 'pause';
  }

  resume(): void {
    this.mode = 'pass';
    for (const deliver of this.held.splice(0)) deliver();
  }

  cut(): void {
    this.mode = 'cut';
    for (const pair of this.pairs) this.drop(pair);
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.mode === 'cut') {
      client.destroy();
      return;
    }
    const target = this.target();
    const upstream = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target);
    const pair: [Socket, Socket] = [client, upstream];
    this.pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => this.drop(pair));
      socket.on('close', () => this.drop(pair));
    }
    client.on('data', (bytes) => this.forward(bytes, upstream));
    upstream.on('data', (bytes) => this.forward(bytes, client));
  }

  private forward(bytes: Buffer, to: Socket): void {
    if (this.mode === 'black-hole') return;
    const deliver = (): void => void (to.writable && to.write(bytes));
    if (this.mode === 'pause') this.held.push(deliver);
    else if (this.mode === 'delay') setTimeout(deliver, this.delayMs);
    else deliver();
  }

  private drop(pair: [Socket, Socket]): void {
    if (!this.pairs.delete(pair)) return;
    for (const socket of pair) socket.destroy();
  }
}
