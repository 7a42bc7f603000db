/**
 * What the promises rest on in each session, whatever the database, the role or the environment say: which there are, how
 * they are pinned when a connection is made, and how it is seen that they hold.
 */
import type { ClientConfig } from 'pg';
import { ON_PRIMARY } from './primary.sql.js';
import type { Way } from './way.js';

export interface SessionSetting {
  readonly name: string;
  /** What it is pinned to. */
  readonly value: string;
  /** Others that are as good: they stay. */
  readonly alike?: readonly string[];
  /** Pinned once it is known what it is, because of what is worth keeping: by anybody, or by those who may. */
  readonly late?: 'anybody' | 'privileged';
  /** A time, in milliseconds. */
  readonly time?: true;
}

export const DEFAULT_SCHEMA = 'public';

/** Where the database is, and in which of its schemas the tables are. */
export interface DatabaseConnection extends ClientConfig {
  /** undefined: nobody has said, and it is {@link DEFAULT_SCHEMA}. */
  readonly schema?: string | undefined;
  /** Shared by all connections that are made with it. */
  readonly way?: Way;
  /** Refuses each transaction on a standby, wherever a pooler leads by then. */
  readonly primaryOnly?: boolean;
}

const FIXED: readonly SessionSetting[] = [
  // a second statement has to see what the first one has waited for
  { name: 'default_transaction_isolation', value: 'read committed' },
  { name: 'default_transaction_read_only', value: 'off' },
  { name: 'default_transaction_deferrable', value: 'off' },
  // an answered change is on disk; on all standbys too, if the administrator wants that
  { name: 'synchronous_commit', value: 'on', alike: ['remote_apply'], late: 'anybody' },
  // ended grants end their tokens by triggers
  { name: 'session_replication_role', value: 'origin', alike: ['local'], late: 'privileged' },
  // texts that are read here, and texts that are written
  { name: 'DateStyle', value: 'ISO, MDY' },
  { name: 'IntervalStyle', value: 'postgres' },
  { name: 'TimeZone', value: 'UTC' },
  { name: 'bytea_output', value: 'hex' },
  { name: 'extra_float_digits', value: '1' },
  { name: 'standard_conforming_strings', value: 'on' },
  { name: 'transform_null_equals', value: 'off' },
];

export const TIMES = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const;

/** Of this connection: the times are what the connection asks for, and else unlimited. */
export function settingsOf(connection: DatabaseConnection): SessionSetting[] {
  return [
    ...FIXED,
    { name: 'search_path', value: searchPath(connection.schema) },
    ...TIMES.map((name) => ({ name, value: String(connection[name] || 0), time: true as const })),
  ];
}

/** `options` of the connection's start: what comes later counts. */
export function startOptions(connection: DatabaseConnection): string {
  const pinned = settingsOf(connection).filter(({ late }) => !late);
  return [connection.options, ...pinned.map(({ name, value }) => `-c ${name}=${escaped(value)}`)]
    .filter(Boolean)
    .join(' ');
}

/** As `options` say it. */
const OPTION = /(?:^|\s)(?:-c\s*|--)([\w.-]+)=((?:\\.|\S)*)/g;

/** All that a session starts with, by name. */
function spoken(connection: DatabaseConnection): Map<string, string> {
  const found = [...startOptions(connection).matchAll(OPTION)];
  return new Map(
    found.map(([, name = '', value = '']) => [name.replaceAll('-', '_'), value.replaceAll(/\\(.)/g, '$1')]),
  );
}

/**
 * All settings until the end of the transaction, by a statement without rows: where a pooler is in between, the session is
 * whoever's, and only a transaction is ours. What may be kept is kept. Where it has to be the primary, a standby refuses.
 */
export function sayAll(connection: DatabaseConnection): string {
  const plain = [...spoken(connection)].map(([name, value]) => `(${literal(name)}, ${literal(value)})`);
  const kept = FIXED.filter(({ late }) => late === 'anybody').map(
    (setting) => `('${setting.name}', ${keeping(setting, `current_setting('${setting.name}')`)})`,
  );
  return `SELECT FROM (VALUES ${[...plain, ...kept].join(', ')}) AS said (name, value) WHERE ${connection.primaryOnly ? `${ON_PRIMARY} AND ` : ''}set_config(name, value, true) IS NULL`;
}

function keeping({ value, alike = [] }: SessionSetting, found: string): string {
  return `CASE WHEN ${found} IN (${alike.map(literal).join(', ')}) THEN ${found} ELSE ${literal(value)} END`;
}

function literal(text: string): string {
  return `E'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}

export interface Looked {
  readonly standby: boolean;
  /** Of the process that answered. */
  readonly pid: number;
  readonly before: readonly string[];
  readonly values: readonly string[];
}

/**
 * One row: who answers, and the values in the order of the settings, as they were and as they are. What may be kept is set
 * to what it is, so that a reload of the server's own configuration does not change it.
 * @param pid whose session is ours; another one's is left as it is
 */
export function look(settings: readonly SessionSetting[], pid: number): string {
  const now = settings.map(({ name, time }) =>
    time
      ? `(extract(epoch FROM current_setting('${name}')::interval) * 1000)::bigint::text`
      : `current_setting('${name}')`,
  );
  const values = settings.map((setting, at) => {
    const before = `before.list[${at + 1}]`;
    if (setting.late !== 'anybody') return before;
    return `set_config('${setting.name}', ${keeping(setting, before)}, pg_backend_pid() <> ${pid})`;
  });
  return `SELECT pg_is_in_recovery() AS standby, pg_backend_pid() AS pid, before.list AS before, ARRAY[${values.join(', ')}] AS values
            FROM (SELECT ARRAY[${now.join(', ')}] AS list OFFSET 0) AS before`;
}

export function holds({ value, alike = [] }: SessionSetting, found: string | undefined): boolean {
  return found === value || alike.includes(found ?? '');
}

/** A schema that others may write to is not searched after it, and temporary tables of the session last. */
function searchPath(schema = DEFAULT_SCHEMA): string {
  return `"${schema.replaceAll('"', '""')}", pg_temp`;
}

function escaped(value: string): string {
  return value.replaceAll(/[\\\s]/g, String.raw`\$&`);
}
