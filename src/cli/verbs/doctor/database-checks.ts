import type { Config } from '../../../config/config.js';
import {
  inspectPartitions,
  inspectServer,
  type PartitionFacts,
  type ServerFacts,
} from '../../../database/schema/inspection.js';
import { databaseLink, LINKS } from '../../../config/database-link.js';
import { connectionOf, CONNECTIONS_MOST } from '../../../database/pools.js';
import { DatabaseRefusal } from '../../../database/database-refusal.js';
import { lacking } from '../../../database/schema/migrator.js';
import type { PinnedClient, SettingInForce } from '../../../database/pinned-client.js';
import { fail, ok, warn, type Finding } from './finding.js';

const OLDEST_VERSION = 140_000;
const CLOCK_WARN_MS = 2_000;
const CLOCK_FAIL_MS = 60_000;
const DAY_S = 86_400;
/** Partitions beyond those in use and those that the next purge drops. Every statement pays for each of them. */
const SPARE_PARTITIONS = 8;

type Settings = Pick<
  Config,
  'ACCESS_TOKEN_TTL' | 'REFRESH_TOKEN_TTL' | 'AUDIT_RETENTION' | 'WORKERS' | 'DATABASE_URL'
>;

export async function checkDatabase(client: PinnedClient, settings: Settings): Promise<Finding[]> {
  const server = await inspectServer(client);
  const schema = await checkSchema(client);
  const found = [...checkServer(server), ...checkLink(settings), ...client.inForce.map(checkSetting)];
  found.push(...checkConnections(server, settings), schema);
  if (schema.status === 'fail') return found;
  const partitions = await inspectPartitions(client, Date.now() + server.clockOffset, settings);
  found.push(...partitions.map((one) => checkPartitions(one, settings)));
  return found;
}

function checkServer({ standby, version, clockOffset, vagueness }: ServerFacts): Finding[] {
  const name = `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000}`;
  const off = Math.max(0, Math.abs(clockOffset) - vagueness);
  const clock = `${Math.round(Math.abs(clockOffset))} ms ${clockOffset < 0 ? 'behind' : 'ahead of'} this machine's`;
  const far = `the database's clock is ${clock}`;
  const mend = 'run NTP on both machines';
  return [
    version >= OLDEST_VERSION
      ? ok('server', name)
      : fail('server', `${name} is too old`, 'upgrade it to 14 or newer'),
    standby
      ? fail(
          'primary',
          'a hot standby, which cannot see a revoke at once',
          'point DATABASE_URL at the primary',
        )
      : ok('primary', 'this is the primary'),
    off > CLOCK_FAIL_MS
      ? fail('clock', far, mend)
      : off > CLOCK_WARN_MS
        ? warn('clock', far, mend)
        : ok('clock', clock),
  ];
}

/** The embedded one is on this machine. */
export function checkLink({ DATABASE_URL }: Pick<Settings, 'DATABASE_URL'>): Finding[] {
  if (DATABASE_URL === undefined) return [];
  const link = databaseLink(connectionOf(DATABASE_URL));
  const mend = 'say sslmode=verify-full in DATABASE_URL, with sslrootcert=FILE for an authority of your own';
  return [
    link === 'local' || link === 'verified' ? ok('link', LINKS[link]) : warn('link', LINKS[link], mend),
  ];
}

/** A connection is used only after its settings were found to be in force. */
function checkSetting({ name, value, before }: SettingInForce): Finding {
  return ok(name, before === undefined ? value : `${value}, although the database says ${before}`);
}

/** The embedded server is started with as many as it takes. */
export function checkConnections(
  { connections }: Pick<ServerFacts, 'connections'>,
  { WORKERS, DATABASE_URL }: Pick<Settings, 'WORKERS' | 'DATABASE_URL'>,
): Finding[] {
  if (DATABASE_URL === undefined) return [];
  const most = WORKERS * CONNECTIONS_MOST;
  const fact = `this server opens up to ${most} of ${connections}`;
  return [
    most <= connections
      ? ok('connections', fact)
      : warn('connections', fact, 'raise max_connections in PostgreSQL, or lower WORKERS'),
  ];
}

async function checkSchema(client: PinnedClient): Promise<Finding> {
  try {
    const pending = await lacking(client);
    if (pending.length === 0) return ok('schema', 'up to date');
    return fail('schema', `lacks ${pending.join(', ')}`, 'run "keks migrate", or start the new server');
  } catch (error) {
    if (!(error instanceof DatabaseRefusal)) throw error;
    return fail('schema', 'it cannot be used', error.message);
  }
}

function checkPartitions({ table, attached, missing, astray }: PartitionFacts, settings: Settings): Finding {
  const most = {
    access_tokens: days(settings),
    refresh_tokens: months(settings),
    audit_events: settings.AUDIT_RETENTION + 1,
  };
  const mend = 'run "keks purge"; a running server does it every hour';
  // if no server has run yet, there are no partitions, and the default one takes the rows
  if (missing.length > 0) return warn(table, `there is no partition ${missing.join(', ')}`, mend);
  if (astray) return warn(table, 'rows have fallen into the default partition', mend);
  const limit = most[table] + SPARE_PARTITIONS;
  if (attached > limit) return warn(table, `${attached} partitions are attached, more than ${limit}`, mend);
  return ok(table, `${attached} partitions, none missing, the default one empty`);
}

function days({ ACCESS_TOKEN_TTL }: Settings): number {
  return Math.ceil(ACCESS_TOKEN_TTL / DAY_S);
}

function months({ REFRESH_TOKEN_TTL }: Settings): number {
  return Math.ceil(REFRESH_TOKEN_TTL / (28 * DAY_S));
}
