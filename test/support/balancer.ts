import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const LOOK_EVERY_MS = 50;

interface Backend {
  readonly url: string;
  ready: boolean;
}

/**
 * A TCP balancer as simple as they come: asks `/health/ready` now and then, gives each new connection to the next server
 * that is ready, and knows nothing of HTTP.
 */
export class Balancer {
  private next = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly backends: Backend[],
  ) {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    server.on('connection', (client) => void this.serve(client));
  }

  static async before(urls: readonly string[]): Promise<Balancer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const balancer = new Balancer(
      server,
      urls.map((url) => ({ url, ready: false })),
    );
    await balancer.look();
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  isReady(url: string): boolean {
    return this.backends.some((one) => one.url === url && one.ready);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const socket of this.open) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private async look(): Promise<void> {
    await Promise.all(
      this.backends.map(async (one) => {
        one.ready = await fetch(`${one.url}/health/ready`, { headers: { connection: 'close' } }).then(
          (answer) => answer.status === 200,
          () => false,
        );
      }),
    );
  }

  private async serve(client: Socket): Promise<void> {
    this.keep(client);
    for (let tries = 0; tries < this.backends.length; tries += 1) {
      const ready = this.backends.filter((one) => one.ready);
      const backend = ready[(this.next += 1) % Math.max(1, ready.length)];
      const upstream = backend && (await open(backend.url).catch(() => undefined));
      if (!upstream) continue;
      this.keep(upstream);
      client.pipe(upstream).pipe(client);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
      return;
    }
    client.destroy();
  }

  private keep(socket: Socket): void {
    this.open.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => this.open.delete(socket));
  }
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}
