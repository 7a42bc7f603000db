import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { lstat, mkdir, readlink, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedRefusal, errorCode } from './embedded-refusal.js';
import { SOCKET_NAME } from './postgres-address.js';

/** A name of the socket's folder that is short enough for a socket address. Valid until `close`. */
export interface SocketDoor {
  readonly host: string;
  close(): void;
}

/** The length of the path in `sockaddr_un`, without the closing NUL: bytes. */
const LONGEST = process.platform === 'linux' ? 107 : 103;

/** A door for this process and, while this process runs, for other processes of its user. */
export async function openDoor(cluster: string): Promise<SocketDoor> {
  if (fits(cluster)) return { host: cluster, close: () => undefined };
  const handle = openSync(cluster, 'r');
  const host = `/proc/${process.pid}/fd/${handle}`;
  if (leadsTo(host, cluster)) {
    let open = true;
    const close = (): void => {
      if (open) closeSync(handle);
      open = false;
    };
    return { host, close };
  }
  closeSync(handle);
  return { host: await shortLink(cluster), close: () => undefined };
}

/** A door that stays valid after this process: for callers that know the server and not Keks. */
export async function lastingDoor(cluster: string, serverPid: number): Promise<string> {
  if (fits(cluster)) return cluster;
  const host = `/proc/${serverPid}/cwd`;
  return leadsTo(host, cluster) ? host : shortLink(cluster);
}

function fits(cluster: string): boolean {
  return Buffer.byteLength(join(cluster, SOCKET_NAME)) <= LONGEST;
}

function leadsTo(host: string, cluster: string): boolean {
  if (!existsSync(host)) return false;
  const [found, wanted] = [statSync(host), statSync(cluster)];
  return found.ino === wanted.ino && found.dev === wanted.dev;
}

/**
 * A link in a private folder of the temporary directory. The name is always the same, so that links do not pile up. The
 * folder must be ours alone: another user's link could lead to that user's server.
 * @throws EmbeddedRefusal if another user owns the folder or may use it
 */
export async function shortLink(cluster: string): Promise<string> {
  const digest = createHash('sha256').update(cluster).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `keks-${process.geteuid?.() ?? 0}-${digest}`);
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o077) !== 0) {
    throw new EmbeddedRefusal(
      `${folder} is in the way and not ours: remove it, or choose a shorter DATA_DIR`,
    );
  }
  const link = join(folder, 'd');
  if ((await readlink(link).catch(() => null)) === cluster) return link;
  await unlink(link).catch(() => undefined);
  await symlink(cluster, link).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  return link;
}
