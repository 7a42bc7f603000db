import type { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedRefusal } from './embedded-refusal.js';
import { addressOf, type Site } from './embedded-site.js';
import { freePort } from './loopback-access.js';
import { claim, heldBy, release } from './owner-lock.js';
import { clearStrangersLocks, isServerOf, livingStarter, readPidFile } from './postmaster-identity.js';
import { launch, stopLeftover, untilReady, type Postmaster } from './postmaster-process.js';
import { isDiskFull } from './server-log.js';
import { Patience } from './start-patience.js';

const POLL_MS = 20;
/** Starting a server that then gives up costs more than looking at the lock. */
const RESTART_MS = 200;
const PASSING = /already exists|pre-existing shared memory block|lock file ".*" is empty/i;

/** A running server, and the session whose lock makes the server ours. */
export interface Ownership {
  readonly server: Postmaster;
  readonly lock: Client;
}

/**
 * Makes the cluster ours and runs it. If a killed Keks left a server behind, ends that server first. Two things own a
 * directory: the living process that started its server, and the session that has the lock. One alone would leave a
 * gap: a crash inside PostgreSQL ends the lock's session, and a container does not see the processes of another
 * container.
 * @throws DirectoryHeld if another Keks owns the directory
 * @throws EmbeddedRefusal if the server cannot run there
 */
export async function takeOwnership(site: Site): Promise<Ownership> {
  const patience = new Patience(site);
  for (;;) {
    const owner = await livingStarter(site.cluster);
    const found = owner === null ? await claim(await addressOf(site)) : heldBy(owner);
    if (found.state === 'mine') {
      await endLeftover(site, found.client);
    } else if (found.state === 'held') {
      patience.held(found.by);
    } else if (found.state === 'busy') {
      patience.waiting(
        `the PostgreSQL that is running there takes no connection (${found.reason})`,
        found.recovers,
      );
    } else if (await isStarting(site)) {
      patience.waiting('the PostgreSQL that is running there does not come up');
    } else {
      const owned = await startAndClaim(site, patience);
      if (owned !== null) return owned;
    }
    await sleep(POLL_MS);
  }
}

async function isStarting(site: Site): Promise<boolean> {
  const pid = (await readPidFile(site.cluster))?.pid;
  return pid !== undefined && (await isServerOf(site.cluster, pid));
}

/**
 * Ends the leftover server instead of adopting it: its settings and binaries may be old, and no process is its parent.
 */
async function endLeftover(site: Site, lock: Client): Promise<void> {
  // Another starter may have started it since we looked, and be about to take this lock.
  const belated = (await livingStarter(site.cluster)) !== null;
  if (!belated) site.log('An earlier Keks was killed and its PostgreSQL lives on: restarting it.');
  const ended = belated || (await stopLeftover(site));
  await release(lock);
  if (!ended) {
    throw new EmbeddedRefusal(
      `${site.dataDir} is in use by a PostgreSQL that this process cannot stop (in another container?): ` +
        'stop it, or choose another DATA_DIR',
    );
  }
}

/** Returns null if this attempt failed, but another may succeed. */
async function startAndClaim(site: Site, patience: Patience): Promise<Ownership | null> {
  await clearStrangersLocks(site.cluster);
  const server = await launch(site, site.loopback ? await freePort() : 0);
  try {
    await untilReady(site, server, patience);
    while (!server.hasGone()) {
      const found = await claim(await addressOf(site));
      if (found.state === 'mine') return { server, lock: found.client };
      if (found.state === 'held') patience.held(found.by);
      else patience.waiting('PostgreSQL came up and takes no connection');
      await sleep(POLL_MS);
    }
    await explainEnd(site, server, patience);
    return null;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Returns if another attempt may succeed. @throws EmbeddedRefusal if not */
async function explainEnd(site: Site, server: Postmaster, patience: Patience): Promise<void> {
  const complaint = await server.complaint();
  if (server.wasStopped() || PASSING.test(complaint)) {
    patience.waiting(`an earlier PostgreSQL has not quite ended there (${complaint})`);
    return sleep(RESTART_MS);
  }
  const full = await isDiskFull(site.dataDir);
  const reason = full ? 'no space left on the device: free some' : complaint || 'it ended without a word';
  throw new EmbeddedRefusal(
    `PostgreSQL did not start in ${site.cluster}: ${reason}; its log is ${site.logFile}`,
  );
}
