import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Config } from '../config/config.js';
import {
  connectionUrl,
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
  /** The server was started for this verb: nobody else has been using the schema as it is. */
  readonly own: boolean;
  release(): Promise<void>;
}

export type Place = Pick<Config, 'DATABASE_URL' | 'DATABASE_SCHEMA' | 'DATA_DIR'>;

/** The letters "keks", and 2. Verbs beside each other share it; who started the server waits until they are done. */
const VERBS_LOCK = [0x6b_65_6b_73, 2];
const CONNECT_MS = 2_000;
const LAST_VERB_MS = 10_000;
const PAUSE_MS = 150;
const REFUSALS_MOST = 3;

/** @returns undefined when the embedded server that was found is about to stop: ask again */
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

/** Another Keks runs the server: a server, or another verb, which then waits for us before it stops it. */
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

/** Of several that start at once one succeeds; the others are refused, or find that one when they look again. */
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
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startEmbedded({ dataDir });
    } catch (error) {
      if (!(error instanceof EmbeddedRefusal)) throw error;
      if (await findRunning(dataDir)) return undefined;
      if (attempt === REFUSALS_MOST) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Waits for the verbs that use our server, and keeps new ones from joining: they will start their own. */
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
