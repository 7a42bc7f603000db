/** Owns the PostgreSQL server that Keks runs for itself in DATA_DIR. Never touches the content of the database. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createCluster } from './cluster-init.js';
import { clusterOf, hasCluster, prepareDataDir, repairOwnership } from './data-directory.js';
import { takeOwnership } from './directory-owner.js';
import { EmbeddedRefusal, isForbidden, refuseOnFileErrors } from './embedded-refusal.js';
import { addressOf, type Site } from './embedded-site.js';
import { LOOPBACK, loopbackPassword } from './loopback-access.js';
import { LockGuard } from './lock-guard.js';
import { answers } from './owner-lock.js';
import { findBinaries } from './postgres-binaries.js';
import type { PostgresAddress } from './postgres-address.js';
import type { ServerIdentity } from './orphaned-server.js';
import { readPidFile } from './postmaster-identity.js';
import { serverAccount } from './server-account.js';
import { lastingDoor, openDoor } from './socket-door.js';

export { DirectoryHeld, EmbeddedRefusal } from './embedded-refusal.js';
export { connectionUrl, type PostgresAddress } from './postgres-address.js';

export interface EmbeddedOptions {
  /** DATA_DIR; the cluster is in its folder `postgres`. Made if it is missing. */
  dataDir: string;
  /** Server settings in addition to the defaults, e.g. `{ fsync: 'off' }` for tests. */
  settings?: Record<string, string>;
  /** Receives one line of text, for people, about anything unusual. */
  log?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** Where to connect. Valid for this process and its children until `stop()`. */
  readonly address: PostgresAddress;
  /** The pid and the data directory of the server: for {@link endOrphan}. */
  readonly server: ServerIdentity;
  /** Shuts the server down: cuts the sessions, leaves committed data on disk and no process. May be called again. */
  stop(): Promise<void>;
  /** Resolves if the server ends without `stop()`; otherwise never resolves. */
  readonly exited: Promise<void>;
}

const NEVER = new Promise<void>(() => undefined);

/**
 * Runs the PostgreSQL server of this data directory until `stop()`. The first start makes the directory.
 * @throws EmbeddedRefusal if the server cannot run; the message is one line that names the mend
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  return refuseOnFileErrors(dataDir, async () => {
    const { site, close } = await prepare(dataDir, options);
    try {
      const { server, lock } = await takeOwnership(site);
      const address = await addressOf(site);
      const guard = new LockGuard(lock, { address, isServing: () => !server.hasGone(), log: site.log });
      let stopping: Promise<void> | undefined;
      const stop = async (): Promise<void> => {
        guard.expectEnd();
        await server.stop();
        await guard.release();
        close();
      };
      return {
        address,
        server: { cluster: site.cluster, pid: server.pid },
        exited: server.gone.then(() => (stopping === undefined ? undefined : NEVER)),
        stop: () => (stopping ??= stop()),
      };
    } catch (error) {
      close();
      throw error;
    }
  });
}

async function prepare(
  dataDir: string,
  options: EmbeddedOptions,
): Promise<{ site: Site; close: () => void }> {
  const cluster = clusterOf(dataDir);
  const { settings = {}, log = () => undefined } = options;
  await prepareDataDir(dataDir);
  const account = await serverAccount(cluster);
  const binaries = await findBinaries(dataDir, account);
  const password = LOOPBACK ? await loopbackPassword(dataDir) : undefined;
  if (!(await hasCluster(dataDir, binaries.major))) {
    log(`Creating a PostgreSQL ${binaries.major} database in ${cluster}.`);
    await createCluster({ dataDir, binaries, account, password, durable: settings.fsync !== 'off' });
  }
  await repairOwnership(cluster, account);
  const door = await openDoor(cluster);
  const logFile = join(dataDir, 'postgres.log');
  const places = { dataDir, cluster, logFile, socketHost: door.host, loopback: LOOPBACK };
  return { site: { ...places, binaries, account, password, settings, log }, close: () => door.close() };
}

/**
 * The address of the server that runs on this data directory, valid for other processes too. Null if none runs.
 * @throws EmbeddedRefusal if this user may not look
 */
export async function findRunning(dataDir: string): Promise<PostgresAddress | null> {
  const absolute = resolve(dataDir);
  const cluster = clusterOf(absolute);
  return refuseOnFileErrors(absolute, async () => {
    await stat(join(cluster, 'PG_VERSION')).catch((error: unknown) => {
      if (isForbidden(error))
        throw new EmbeddedRefusal(`${cluster} is closed to this user: be the one who runs Keks`);
    });
    const pidFile = await readPidFile(cluster);
    if (pidFile === null) return null;
    const password = LOOPBACK ? await loopbackPassword(absolute) : undefined;
    const socketHost = await lastingDoor(cluster, pidFile.pid);
    const address = await addressOf({ cluster, loopback: LOOPBACK, password, socketHost });
    return (await answers(address)) ? address : null;
  });
}
