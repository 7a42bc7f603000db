import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { clusterOf, hasCluster } from './data-directory.js';
import { EmbeddedRefusal, oneLine } from './embedded-refusal.js';
import type { Binaries } from './postgres-binaries.js';
import { SUPERUSER } from './postgres-address.js';
import { isAlive } from './postmaster-identity.js';
import { runProgram, workingDirectory } from './program-run.js';
import type { Account } from './server-account.js';

const FULL = /no space left|disk quota/i;
/** The prefix of each message in a server's log. */
const STAMP = /^\d{4}-\d\d-\d\d .*?\[\d+\] /;

export interface InitOrder {
  readonly dataDir: string;
  readonly binaries: Binaries;
  readonly account: Account | null;
  /** The password for TCP connections, on systems without sockets. */
  readonly password: string | undefined;
  /** False only if the server's own fsync is off too. */
  readonly durable: boolean;
}

/**
 * Makes a cluster beside its final place and moves it there in one step. So a starter that is killed halfway, or that
 * comes second, leaves no half cluster. initdb syncs its files before that step; this function syncs the folder after
 * it.
 */
export async function createCluster(order: InitOrder): Promise<void> {
  const cluster = clusterOf(order.dataDir);
  await removeAbandonedDrafts(order.dataDir);
  const draft = `${cluster}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { mode: 0o700 });
  try {
    if (order.account !== null) await chown(draft, order.account.uid, order.account.gid);
    await initdb(order, draft);
    await rename(draft, cluster).catch(async (error: unknown) => {
      if (!(await hasCluster(order.dataDir, order.binaries.major))) throw error;
    });
    if (order.durable) await syncFolder(order.dataDir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initdb(order: InitOrder, draft: string): Promise<void> {
  const passwordFile = `${draft}.password`;
  // The builtin provider sorts the same on every machine, with every C library, so an index stays valid.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
  const entry =
    order.password === undefined
      ? ['--auth-local=trust', '--auth-host=scram-sha-256']
      : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const place = ['-D', workingDirectory(draft), '-U', SUPERUSER, '--no-instructions'];
  const args = [...place, ...locale, ...entry, ...(order.durable ? [] : ['--no-sync'])];
  try {
    if (order.password !== undefined) await writeFile(passwordFile, order.password, { mode: 0o600 });
    const outcome = await runProgram(order.binaries.initdb, args, { cwd: draft, account: order.account });
    if (outcome.code === 0) return;
    const complaints = outcome.stderr.split('\n').filter((line) => /error|fatal|panic|no space/i.test(line));
    const worst = complaints.find((line) => FULL.test(line)) ?? complaints.at(-1) ?? outcome.stderr;
    const reason = oneLine(worst).replace(STAMP, '') || outcome.failure || 'it was interrupted';
    throw new EmbeddedRefusal(`Keks cannot create its database in ${order.dataDir}: ${explain(reason)}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function explain(reason: string): string {
  if (FULL.test(reason)) return `${reason}: free some space, or choose another DATA_DIR`;
  if (/look up effective user/i.test(reason)) {
    return `${reason}: start Keks as a user that /etc/passwd knows, or set DATABASE_URL`;
  }
  return `${reason}: mend that, choose another DATA_DIR, or set DATABASE_URL`;
}

/**
 * Removes the drafts of starters that were killed. A draft in use is young, and its name has the pid of a process that
 * is alive.
 */
async function removeAbandonedDrafts(dataDir: string): Promise<void> {
  const prefix = `${basename(clusterOf(dataDir))}.new-`;
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(dataDir, name);
    const found = await stat(path).catch(() => null);
    const young = found !== null && Date.now() - found.mtimeMs < 600_000;
    const pid = Number(name.slice(prefix.length).split('-')[0]);
    if (young && pid !== process.pid && isAlive(pid)) continue;
    // The killed starter's initdb may still be writing. The next start removes what stays.
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }).catch(() => undefined);
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
