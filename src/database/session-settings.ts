/**
 * The session settings that the promises of Keks depend on, whatever the database, the role or the environment say:
 * which settings, how they are pinned when a connection is made, and how the program checks them.
 */
import type { ClientConfig } from 'pg';
import { ON_PRIMARY } from './primary.sql.js';
import type { Way } from './way.js';

export interface SessionSetting {
  readonly name: string;
  /** The value that the setting is pinned to. */
  readonly value: string;
  /** Other values that are as good: they stay. */
  readonly alike?: readonly string[];
  /**
   * Pinned only after its value is known, because `alike` values stay. Any role may set it, or only a privileged role.
   */
  readonly late?: 'anybody' | 'privileged';
  /** True if the value is a time in milliseconds. */
  readonly time?: true;
}

export const DEFAULT_SCHEMA = 'public';

/** The address of the database, and the schema of the tables. */
export interface DatabaseConnection extends ClientConfig {
  /** Undefined: not set, which means {@link DEFAULT_SCHEMA}. */
  readonly schema?: string | undefined;
  /** Shared by all connections made with this object. */
  readonly way?: Way;
  /** Refuses each transaction on a standby, even if a pooler leads to another server later. */
  readonly primaryOnly?: boolean;
}

const FIXED: readonly SessionSetting[] = [
  // a second statement has to see the changes that the first one waited for
  { name: 'default_transaction_isolation', value: 'read committed' },
  { name: 'default_transaction_read_only', value: 'off' },
  { name: 'default_transaction_deferrable', value: 'off' },
  // an acknowledged change is on disk; on all standbys too, if the administrator wants that
  { name: 'synchronous_commit', value: 'on', alike: ['remote_apply'], late: 'anybody' },
  // ended grants end their tokens by triggers
  { name: 'session_replication_role', value: 'origin', alike: ['local'], late: 'privileged' },
  // the text formats that this program reads and writes
  { name: 'DateStyle', value: 'ISO, MDY' },
  { name: 'IntervalStyle', value: 'postgres' },
  { name: 'TimeZone', value: 'UTC' },
  { name: 'bytea_output', value: 'hex' },
  { name: 'extra_float_digits', value: '1' },
  { name: 'standard_conforming_strings', value: 'on' },
  { name: 'transform_null_equals', value: 'off' },
];

export const TIMES = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const;

/** The settings of this connection. Times that the connection does not set are unlimited. */
export function settingsOf(connection: DatabaseConnection): SessionSetting[] {
  return [
    ...FIXED,
    { name: 'search_path', value: searchPath(connection.schema) },
    ...TIMES.map((name) => ({ name, value: String(connection[name] || 0), time: true as const })),
  ];
}

/** The start parameter `options`. Later values win, so ours come last. */
export function startOptions(connection: DatabaseConnection): string {
  const pinned = settingsOf(connection).filter(({ late }) => !late);
  return [connection.options, ...pinned.map(({ name, value }) => `-c ${name}=${escaped(value)}`)]
    .filter(Boolean)
    .join(' ');
}

/** One setting in `options`. */
const OPTION = /(?:^|\s)(?:-c\s*|--)([\w.-]+)=((?:\\.|\S)*)/g;

/** All settings that a session starts with, by name. */
function spoken(connection: DatabaseConnection): Map<string, string> {
  const found = [...startOptions(connection).matchAll(OPTION)];
  return new Map(
    found.map(([, name = '', value = '']) => [name.replaceAll('-', '_'), value.replaceAll(/\\(.)/g, '$1')]),
  );
}

/**
 * Sets all settings until the end of the transaction, by a statement without rows. Behind a pooler other clients use
 * the same session, and only a transaction is ours. Values that may stay are kept. If the connection needs the primary,
 * a standby refuses.
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
  /** The pid of the process that answered. */
  readonly pid: number;
  readonly before: readonly string[];
  readonly values: readonly string[];
}

/**
 * Returns one row: who answers, and the values in the order of the settings, before and now. A value that may stay is
 * set to itself, so that a reload of the server's configuration does not change it.
 * @param pid the process of our session; in another session the values last only for the transaction
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

/** Searches this schema, and temporary tables last. A further schema, which others may write to, is not searched. */
function searchPath(schema = DEFAULT_SCHEMA): string {
  return `"${schema.replaceAll('"', '""')}", pg_temp`;
}

function escaped(value: string): string {
  return value.replaceAll(/[\\\s]/g, String.raw`\$&`);
}
