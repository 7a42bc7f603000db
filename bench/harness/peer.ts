import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Bench } from './bench.js';
import { APP, CHALLENGE, REDIRECT } from './codes.js';
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
  /** @returns gives the codes in so many parts, a file each */
  slices(count: number): () => string;
  /** Two of one person, for its userinfo endpoint. */
  userinfoTokens(): { readonly bearer: string; readonly bound: string };
}

/** What people allow is not in its own store, which would forget most of it, but in a `Map`. */
export interface PeerOrder {
  readonly codes?: number;
  /** The key that the second token of the userinfo endpoint is bound to. */
  readonly jkt?: string;
}

/** The npm `oidc-provider` on its in-memory store, installed when it is first needed. */
export async function startPeer(bench: Bench, { codes = 0, jkt = '' }: PeerOrder = {}): Promise<Peer> {
  installPeers();
  const { folder } = await bench.cluster();
  const file = (what: string): string => join(folder, `peer.${what}`);
  const [tokensFile, clientsFile] = [file('tokens'), file('clients')];
  const program = await bench.start({
    file: join(ROOT, 'bench/peers/oidc-provider.mjs'),
    environment: {
      NODE_ENV: 'production',
      CLIENTS: `${CLIENTS}`,
      TOKENS: `${TOKENS}`,
      TOKENS_FILE: tokensFile,
      CLIENTS_FILE: clientsFile,
      ...(codes > 0 && { CODES: `${codes}`, CODES_FILE: file('codes') }),
      ...(jkt !== '' && { JKT: jkt, USERINFO_FILE: file('userinfo') }),
      ...{ APP, REDIRECT, CHALLENGE },
    },
    path: '/jwks',
  });
  return {
    ...{ program, tokensFile, clientsFile, credentials: firstLine(clientsFile) },
    slices: (count) => slicesOf(file('codes'), count),
    userinfoTokens() {
      const [bearer = '', bound = ''] = linesOf(file('userinfo'));
      return { bearer, bound };
    },
  };
}

export function firstLine(file: string): string {
  return linesOf(file)[0]!;
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n');
}

function slicesOf(file: string, count: number): () => string {
  const lines = linesOf(file);
  const size = Math.floor(lines.length / count);
  let at = 0;
  return () => {
    const slice = `${file}-${(at += 1)}`;
    writeFileSync(slice, lines.slice((at - 1) * size, at * size).join('\n'));
    return slice;
  };
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
