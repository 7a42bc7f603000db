import type { Client } from 'pg';
import type { Config } from '../../config/config.js';
import { daysFrom, monthsFrom, type Range } from './partition-ranges.js';

/** Reads what an operator wants to know about a database, on one connection and without changes. */

export interface ServerFacts {
  readonly standby: boolean;
  /** In the form of `server_version_num`, e.g. 180004. */
  readonly version: number;
  /** The number of connections that the server allows to roles other than superusers, all clients together. */
  readonly connections: number;
  /** How far the server's clock is ahead of this machine's clock, plus or minus `vagueness`: milliseconds. */
  readonly clockOffset: number;
  readonly vagueness: number;
}

export async function inspectServer(client: Client): Promise<ServerFacts> {
  const sentAt = Date.now();
  const { rows } = await client.query<{
    standby: boolean;
    version: string;
    connections: number;
    now: number;
  }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('server_version_num') AS version,
            current_setting('max_connections')::int
              - current_setting('superuser_reserved_connections')::int AS connections,
            (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
  );
  const heardAt = Date.now();
  const [row] = rows;
  if (!row) throw new Error('PostgreSQL did not say who it is');
  const vagueness = (heardAt - sentAt) / 2;
  const clockOffset = row.now - (sentAt + vagueness);
  const { standby, version, connections } = row;
  return { standby, version: Number(version), connections, clockOffset, vagueness };
}

export type Partitioned = 'access_tokens' | 'refresh_tokens' | 'audit_events';

export interface PartitionFacts {
  readonly table: Partitioned;
  readonly attached: number;
  /** Ranges that rows may be written to now and that have no partition of their own. */
  readonly missing: readonly string[];
  /** Whether the default partition has rows. */
  readonly astray: boolean;
}

/** @param now milliseconds since the epoch, by the database's clock */
export async function inspectPartitions(
  client: Client,
  now: number,
  config: Pick<Config, 'ACCESS_TOKEN_TTL' | 'REFRESH_TOKEN_TTL'>,
): Promise<PartitionFacts[]> {
  const needed: [Partitioned, Range[]][] = [
    ['access_tokens', daysFrom(now, now + config.ACCESS_TOKEN_TTL * 1_000)],
    ['refresh_tokens', monthsFrom(now, now + config.REFRESH_TOKEN_TTL * 1_000)],
    ['audit_events', monthsFrom(now, now)],
  ];
  const found: PartitionFacts[] = [];
  for (const [table, ranges] of needed) {
    const { rows } = await client.query<{ names: string[]; astray: boolean }>(
      `SELECT array(SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                     WHERE i.inhparent = '${table}'::regclass AND c.relname <> '${table}_default') AS names,
              EXISTS (SELECT FROM ${table}_default) AS astray`,
    );
    const { names = [], astray = false } = rows[0] ?? {};
    const missing = ranges.map(({ name }) => `${table}_${name}`).filter((name) => !names.includes(name));
    found.push({ table, attached: names.length, missing, astray });
  }
  return found;
}
