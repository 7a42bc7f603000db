import type { Client } from 'pg';
import { openClient } from '../pinned-client.js';
import { EmbeddedRefusal, errorCode, oneLine } from './embedded-refusal.js';
import { DATABASE, type PostgresAddress } from './postgres-address.js';

/** The advisory lock that marks the owner of the data directory: the letters "keks", and 1. */
const LOCK = [0x6b656b73, 1] as const;
const TIMEOUT_MS = 2000;

export type Claim =
  /** The directory is ours for as long as the client stays connected. */
  | { readonly state: 'mine'; readonly client: Client }
  /** Another session has the lock; `by` names that session in words. */
  | { readonly state: 'held'; readonly by: string }
  /** A server is there but takes no connection now: it starts, stops, recovers or is full. */
  | { readonly state: 'busy'; readonly reason: string; readonly recovers: boolean }
  /** Nothing listens at this address. */
  | { readonly state: 'absent' };

/**
 * Tries once to make the data directory behind `address` ours. Makes the database `keks` if it is missing.
 * @throws EmbeddedRefusal if PostgreSQL refuses the login
 */
export async function claim(address: PostgresAddress): Promise<Claim> {
  let client: Client | undefined;
  try {
    client = await connect(address).catch(async (error: unknown) => {
      if (errorCode(error) !== '3D000') throw error;
      await createDatabase(address);
      return connect(address);
    });
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS mine', [
      ...LOCK,
    ]);
    if (rows[0]?.mine === true) return { state: 'mine', client };
    const by = await holder(client);
    await release(client);
    return by;
  } catch (error) {
    if (client !== undefined) await release(client);
    const code = errorCode(error);
    if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(code)) return { state: 'absent' };
    if (code.startsWith('28')) {
      throw new EmbeddedRefusal(
        `PostgreSQL does not let Keks in (${oneLine(error)}): restore its pg_hba.conf`,
      );
    }
    return { state: 'busy', reason: oneLine(error), recovers: code === '57P03' };
  }
}

/** The claim on a directory that the Keks with this pid holds. */
export function heldBy(pid: number | undefined): Claim {
  return { state: 'held', by: pid === undefined ? 'pid unknown' : `pid ${pid}` };
}

/** Whether any server answers at `address`, no matter who owns it. */
export async function answers(address: PostgresAddress): Promise<boolean> {
  try {
    await release(await connect(address));
    return true;
  } catch {
    return false;
  }
}

/** Ends a session. A server that has already gone is no error. */
export async function release(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}

async function connect(address: PostgresAddress): Promise<Client> {
  // a server that goes away is no error here: callers that need to know listen for 'end'
  return openClient(address, {
    application_name: `keks ${process.pid}`,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
  });
}

async function createDatabase(address: PostgresAddress): Promise<void> {
  const client = await connect({ ...address, database: 'postgres' });
  try {
    await client.query(`CREATE DATABASE ${DATABASE} TEMPLATE template0`);
  } catch (error) {
    // Two starters ran at once: the other one made the database.
    if (!['42P04', '23505'].includes(errorCode(error))) throw error;
  } finally {
    await release(client);
  }
}

async function holder(client: Client): Promise<Claim> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2 AND l.objsubid = 2
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...LOCK],
  );
  const pid = /^keks (\d+)$/.exec(rows[0]?.name ?? '')?.[1];
  return heldBy(pid === undefined ? undefined : Number(pid));
}
