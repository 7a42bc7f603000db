import type { Binaries } from './postgres-binaries.js';
import { DATABASE, SOCKET_PORT, SUPERUSER, type PostgresAddress } from './postgres-address.js';
import { readPidFile } from './postmaster-identity.js';
import type { Account } from './server-account.js';

/** What the parts of the embedded server know about the data directory that they work on. */
export interface Site {
  /** DATA_DIR, absolute. */
  readonly dataDir: string;
  readonly cluster: string;
  readonly logFile: string;
  readonly binaries: Binaries;
  readonly account: Account | null;
  /** True on systems without file system sockets: the server listens on TCP at 127.0.0.1, with a password. */
  readonly loopback: boolean;
  readonly password: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** The folder of the socket, under a name that is short enough for a socket address. */
  readonly socketHost: string;
}

/** Where the server of this directory listens, or would listen. */
export async function addressOf(
  site: Pick<Site, 'cluster' | 'loopback' | 'password' | 'socketHost'>,
): Promise<PostgresAddress> {
  const who = { user: SUPERUSER, database: DATABASE };
  if (!site.loopback) return { host: site.socketHost, port: SOCKET_PORT, ...who };
  const port = (await readPidFile(site.cluster))?.port;
  // Port 1 stands for "nobody": without a server there is no port.
  const secret = site.password === undefined ? {} : { password: site.password };
  return { host: '127.0.0.1', port: port !== undefined && port > 0 ? port : 1, ...who, ...secret };
}
