import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Config } from '../config/config.js';
import {
  connectionUrl,
  DirectoryHeld,
  EmbeddedRefusal,
  findRunning,
  startEmbedded,
  type EmbeddedPostgres,
} from '../database/embedded/embedded-postgres.js';
import { openClient, type PinnedClient } from '../database/pinned-client.js';
import { connectionOf } from '../database/pools.js';
import type { DatabaseConnection } from '../database/session-settings.js';

/** The database, for the time of one verb. */
export interface Lease {
  readonly connection: DatabaseConnection;
  /** An open session in it. */
  readonly client: PinnedClient;
  /** Whether the server was started for this verb: then nobody else uses this schema. */
  readonly own: boolean;
  release(): Promise<void>;
}

export type Place = Pick<Config, 'DATABASE_URL' | 'DATABASE_SCHEMA' | 'DATA_DIR'>;

/**
 * The letters "keks", and 2. Verbs that run at the same time share it. The one that started the server waits for the others.
 */
const VERBS_LOCK = [0x6b_65_6b_73, 2];
const CONNECT_MS = 2_000;
const LAST_VERB_MS = 10_000;
const PAUSE_MS = 150;
const REFUSALS_MOST = 3;
/** A verb that ends waits for its server to stop, which takes seconds on a busy machine. */
const HELD_MOST_MS = 15_000;

/** @returns undefined if the embedded server is about to stop: ask again */
export async function leaseDatabase(place: Place): Promise<Lease | undefined> {
  if (place.DATABASE_URL !== undefined)
    return external(connectionOf(place.DATABASE_URL, place.DATABASE_SCHEMA));
  const running = await findRunning(place.DATA_DIR);
  return running ? beside(connectionOf(connectionUrl(running))) : start(place.DATA_DIR);
}

async function external(connection: DatabaseConnection): Promise<Lease> {
  const client = await connect(connection);
  return { connection, client, own: false, release: () => end(client) };
}

/** Another Keks runs PostgreSQL: a server, or another verb, which then waits for us before it stops PostgreSQL. */
async function beside(connection: DatabaseConnection): Promise<Lease | undefined> {
  const lease = await external(connection);
  const { rows } = await lease.client.query<{ shared: boolean }>(
    'SELECT pg_try_advisory_lock_shared($1, $2) AS shared',
    VERBS_LOCK,
  );
  if (rows[0]?.shared) return lease;
  await lease.release();
  return undefined;
}

/** If several start at once, one succeeds; the others are refused, or find the first one when they look again. */
async function start(dataDir: string): Promise<Lease | undefined> {
  const embedded = await startPatiently(dataDir);
  if (!embedded) return undefined;
  try {
    const connection = connectionOf(connectionUrl(embedded.address));
    const client = await connect(connection);
    const release = async (): Promise<void> => {
      await untilAlone(client);
      await end(client);
      await embedded.stop();
    };
    return { connection, client, own: true, release };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

/** @returns undefined when somebody else was faster */
async function startPatiently(dataDir: string): Promise<EmbeddedPostgres | undefined> {
  const deadline = performance.now() + HELD_MOST_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startEmbedded({ dataDir });
    } catch (error) {
      if (!(error instanceof EmbeddedRefusal)) throw error;
      if (await findRunning(dataDir)) return undefined;
      const isHopeless =
        error instanceof DirectoryHeld ? performance.now() > deadline : attempt >= REFUSALS_MOST;
      if (isHopeless) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Waits for the verbs that use our server, and keeps new ones from using it: those start their own. */
async function untilAlone(client: Client): Promise<void> {
  await client
    .query(`SET statement_timeout = ${LAST_VERB_MS}`)
    .then(() => client.query('SELECT pg_advisory_lock($1, $2)', VERBS_LOCK))
    .catch(() => undefined);
}

function connect(connection: DatabaseConnection): Promise<PinnedClient> {
  return openClient(connection, { application_name: 'keks verb', connectionTimeoutMillis: CONNECT_MS });
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}
