import { access, chmod, constants, lchown, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedRefusal, errorCode } from './embedded-refusal.js';
import type { Account } from './server-account.js';

/** The folder of the cluster in an (absolute) DATA_DIR. */
export function clusterOf(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/** Makes DATA_DIR if it is missing, for its owner only: DATA_DIR will hold secrets. */
export async function prepareDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
}

/**
 * Whether the folder has a cluster of this major version. False if the folder is missing or empty.
 * @throws EmbeddedRefusal for any other content, which is left as it is
 */
export async function hasCluster(dataDir: string, major: string): Promise<boolean> {
  const cluster = clusterOf(dataDir);
  let entries: string[];
  try {
    entries = await readdir(cluster);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    if (errorCode(error) === 'EACCES') throw foreign(cluster, error);
    throw error;
  }
  if (entries.length === 0) return false;
  if (!entries.includes('PG_VERSION')) {
    throw new EmbeddedRefusal(
      `${cluster} exists and is not a PostgreSQL data directory: move it away, or choose another DATA_DIR`,
    );
  }
  const found = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  if (found !== major) {
    throw new EmbeddedRefusal(
      `${cluster} was written by PostgreSQL ${found || 'of an unknown version'} and this Keks brings PostgreSQL ${major}: ` +
        `dump it with PostgreSQL ${found}, move the folder away and restore the dump, or choose another DATA_DIR`,
    );
  }
  return true;
}

function foreign(cluster: string, cause: unknown): EmbeddedRefusal {
  return new EmbeddedRefusal(
    `${cluster} belongs to another user: start Keks as the user that made it, or choose another DATA_DIR`,
    { cause },
  );
}

/**
 * Gives a restored or copied cluster back to its server. The server trusts every user who reaches the socket in this
 * folder. So 0700 is not only a demand of PostgreSQL: it keeps other users out.
 */
export async function repairOwnership(cluster: string, account: Account | null): Promise<void> {
  const found = await stat(cluster);
  const uid = account?.uid ?? process.geteuid?.();
  if (account !== null && found.uid !== account.uid) {
    const entries = await readdir(cluster, { recursive: true });
    for (const entry of ['.', ...entries]) await lchown(join(cluster, entry), account.uid, account.gid);
  } else if (uid !== undefined && found.uid !== uid) {
    throw foreign(cluster, undefined);
  }
  if (process.platform !== 'win32' && (found.mode & 0o777) !== 0o700) await chmod(cluster, 0o700);
}
