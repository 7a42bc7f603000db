import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { lacking, part } from '../../support/parts.js';
import { freePort } from '../../support/ports.js';

/** How to run our example of a proxy on a free port, in front of two others, without a certificate. */
interface Kind {
  readonly example: string;
  /** @param port of the proxy */
  here(example: string, port: number): string;
  /** In the foreground. */
  args(file: string, folder: string): string[];
}

/** Each change has to be one, or the example no longer says what the test runs. */
function changed(text: string, ...changes: readonly (readonly [string | RegExp, string])[]): string {
  return changes.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`the example has no ${String(from)}`);
    return after;
  }, text);
}

const KINDS = {
  nginx: {
    example: 'deploy/nginx/keks.conf',
    here: (example, port) => {
      const site = changed(
        example,
        ['listen 443 ssl http2;', `listen 127.0.0.1:${port};`],
        [/ssl_certificate .*\n/, '\n'],
        [/ssl_certificate_key .*\n/, '\n'],
      );
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path FOLDER/${name};`,
      );
      return `daemon off; pid FOLDER/pid; worker_processes 1;
        events { worker_connections 512; }
        http { access_log off; ${paths.join(' ')}\n${site}\n}`;
    },
    args: (file, folder) => ['-c', file, '-p', folder, '-e', join(folder, 'log')],
  },
  haproxy: {
    example: 'deploy/haproxy/haproxy.cfg',
    here: (example, port) => changed(example, [/bind :443 .*\n/, `bind 127.0.0.1:${port}\n`]),
    args: (file) => ['-db', '-f', file],
  },
  caddy: {
    example: 'deploy/caddy/Caddyfile',
    here: (example, port) =>
      `{\nadmin off\nauto_https off\n}\n${changed(example, ['auth.example.com {', `http://127.0.0.1:${port} {`])}`,
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
} satisfies Record<string, Kind>;

export type ProxyName = keyof typeof KINDS;

/** Those that the machine has. */
export const PROXIES: Readonly<Record<ProxyName, string | undefined>> = {
  nginx: found('nginx'),
  haproxy: found('haproxy'),
  caddy: found('caddy'),
};

function found(name: ProxyName): string | undefined {
  const program = part(name, name.toUpperCase());
  if (program === undefined) lacking(name, name.toUpperCase());
  return program;
}

export interface Proxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param ports of the two instances behind it */
export async function startProxy(name: ProxyName, program: string, ports: readonly number[]): Promise<Proxy> {
  const kind: Kind = KINDS[name];
  const folder = await mkdtemp(join(tmpdir(), `keks-${name}-`));
  const port = await freePort();
  const example = await readFile(resolve(import.meta.dirname, '../../..', kind.example), 'utf8');
  const behind = changed(
    example,
    ['127.0.0.1:3000', `127.0.0.1:${ports[0]}`],
    ['127.0.0.1:3001', `127.0.0.1:${ports[1]}`],
  );
  const file = join(folder, 'configuration');
  await writeFile(file, kind.here(behind, port).replaceAll('FOLDER', folder));
  const child = spawn(program, kind.args(file, folder), {
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit');
  await untilListening(port, () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start:\n${said}`);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function untilListening(port: number, look: () => void): Promise<void> {
  for (let attempt = 0; attempt < 2_400; attempt += 1) {
    look();
    const socket = connect(port, '127.0.0.1');
    const [what] = await Promise.race([
      once(socket, 'connect').then(() => ['open']),
      once(socket, 'close').then(() => ['closed']),
    ]).catch(() => ['closed']);
    socket.destroy();
    if (what === 'open') return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`nobody listens on ${port}`);
}
