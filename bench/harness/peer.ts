import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Bench } from './bench.js';
import { CLIENTS } from './fill.js';
import type { Program } from './process.js';
import { say } from './progress.js';

/** Its store keeps a thousand entries; these must all stay alive. */
const TOKENS = 500;

export interface Peer {
  readonly program: Program;
  readonly tokensFile: string;
  readonly clientsFile: string;
  /** Of one of its clients. */
  readonly credentials: string;
}

/** The npm `oidc-provider` on its in-memory store, installed when it is first needed. */
export async function startPeer(bench: Bench): Promise<Peer> {
  installPeers();
  const { folder } = await bench.cluster();
  const [tokensFile, clientsFile] = [join(folder, 'peer.tokens'), join(folder, 'peer.clients')];
  const program = await bench.start({
    file: join(ROOT, 'bench/peers/oidc-provider.mjs'),
    environment: {
      NODE_ENV: 'production',
      CLIENTS: `${CLIENTS}`,
      TOKENS: `${TOKENS}`,
      TOKENS_FILE: tokensFile,
      CLIENTS_FILE: clientsFile,
    },
    path: '/jwks',
  });
  return { program, tokensFile, clientsFile, credentials: firstLine(clientsFile) };
}

export function firstLine(file: string): string {
  return readFileSync(file, 'utf8').split('\n')[0]!;
}

function installPeers(): void {
  if (existsSync(join(ROOT, 'bench/node_modules/oidc-provider/package.json'))) return;
  say('  installing the peers of bench/package.json');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: join(ROOT, 'bench'),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('the peers could not be installed');
}
