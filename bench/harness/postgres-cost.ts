import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { withClient } from './postgres.js';

/** What a PostgreSQL has used up since it started. */
export interface Used {
  /** Seconds of all its processes; NaN unless it runs on this machine, and that is Linux. */
  readonly cpu: number;
  readonly walBytes: number;
  /** Pages that were written to the log whole, as each is when it is first changed after a checkpoint. */
  readonly fullPages: number;
  readonly transactions: number;
  readonly rows: number;
}

/** The processes of PostgreSQL add up what they have counted when they have been idle for a second. */
const COUNTED_AFTER_MS = 1_500;

export async function used(url: string): Promise<Used> {
  await sleep(COUNTED_AFTER_MS);
  return withClient(url, async (client) => {
    const { rows } = await client.query<Record<'wal' | 'pages' | 'transactions' | 'rows' | 'pid', string>>(`
      SELECT pg_current_wal_insert_lsn() - '0/0' AS wal, (SELECT wal_fpi FROM pg_stat_wal) AS pages,
             xact_commit AS transactions, tup_inserted AS rows, pg_backend_pid() AS pid
        FROM pg_stat_database WHERE datname = current_database()`);
    const row = rows[0]!;
    return {
      cpu: (await isHere(client)) ? cpuOfServer(row.pid) : Number.NaN,
      walBytes: Number(row.wal),
      fullPages: Number(row.pages),
      transactions: Number(row.transactions),
      rows: Number(row.rows),
    };
  });
}

/** Whether a process id of the server's means anything here. */
async function isHere(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ here: boolean }>(
    `SELECT coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS here`,
  );
  return process.platform === 'linux' && rows[0]!.here;
}

/** Of the parent of `pid` and all its children, those that have ended included. */
function cpuOfServer(pid: string): number {
  const parent = statOf(pid)?.parent;
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = processes.map(statOf).filter((one) => one?.parent === parent);
  const ended = statOf(`${parent}`);
  const ticks = [...children.map((one) => one?.own ?? 0), ended?.own ?? 0, ended?.ended ?? 0];
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_A_SECOND;
}

const TICKS_A_SECOND = 100;

interface Stat {
  readonly parent: number;
  readonly own: number;
  readonly ended: number;
}

/** Undefined for a process that has just ended. */
function statOf(pid: string): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map(
      (at) => fields[at],
    );
    return { parent, own: user + system, ended: endedUser + endedSystem };
  } catch {
    return undefined;
  }
}
