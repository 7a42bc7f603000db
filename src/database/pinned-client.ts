/** Makes every connection of the program, and checks its settings before anybody uses it. */
import pg from 'pg';
import type { ClientConfig } from 'pg';
import { databaseLink, type DatabaseLink } from '../config/database-link.js';
import { DatabaseRefusal } from './database-refusal.js';
import { PooledSession } from './pooled-session.js';
import { asTlsRefusal } from './tls-refusal.js';
import {
  holds,
  look,
  settingsOf,
  startOptions,
  TIMES,
  type DatabaseConnection,
  type Looked,
  type SessionSetting,
} from './session-settings.js';
import { wayOf, type Place, type Way } from './way.js';

const CONNECT_MS = 2_000;
/** The name in pg_stat_activity and in the server's log, unless DATABASE_URL sets another. */
const APPLICATION_NAME = 'keks';

export interface SettingInForce {
  readonly name: string;
  readonly value: string;
  /** The value before, if it had to be changed. */
  readonly before: string | undefined;
}

/** Opens a connection outside the pools. If its server is lost, the process goes on. @throws DatabaseRefusal */
export async function openClient(
  connection: DatabaseConnection,
  more: ClientConfig = {},
): Promise<PinnedClient> {
  const way = wayOf(connection);
  const settings = { ...connection, way, connectionTimeoutMillis: CONNECT_MS, keepAlive: true, ...more };
  for (let left = Math.max(1, way.places.length); ;) {
    const said = way.startParameters;
    try {
      return await new PinnedClient(settings).connect();
    } catch (error) {
      if (way.startParameters === said && (left -= 1) === 0) throw error;
    }
  }
}

/** Reads nothing from the environment. When `connect` is over, its settings are in force and checked. */
export class PinnedClient extends pg.Client {
  /** Whether the server was a standby when this client connected. */
  standby = false;
  inForce: readonly SettingInForce[] = [];
  readonly schema: string | undefined;
  readonly way: Way;
  /** Set behind a pooler: how its transactions begin. */
  pooled: PooledSession | undefined;
  private readonly settings: readonly SessionSetting[];
  private readonly patienceMs: number;
  private readonly place: Place | undefined;

  constructor(private readonly asked: DatabaseConnection = {}) {
    const way = wayOf(asked);
    super(explicit(asked, way));
    this.way = way;
    this.place = way.place;
    forgetEnvironment(this, asked);
    keepPassword(this, databaseLink(explicit(asked, way)));
    this.schema = asked.schema;
    this.settings = settingsOf(asked);
    this.patienceMs = asked.connectionTimeoutMillis ?? CONNECT_MS;
    this.on('error', () => undefined);
  }

  /** @throws DatabaseRefusal that names a setting that this server does not allow */
  override connect(): Promise<PinnedClient>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<PinnedClient> | void {
    const connected = super.connect().then(
      () => this.pin(),
      (error: unknown) => Promise.reject(asTlsRefusal(this.learnt(error))),
    );
    if (!callback) return connected;
    connected.then(() => callback(null as unknown as Error), callback);
  }

  /** Notes what a failed connection shows. If a pooler refuses start parameters, no later connection sends them. */
  private learnt(error: unknown): unknown {
    if (error instanceof pg.DatabaseError && UNSUPPORTED.test(error.message)) this.way.sayNothingAtTheStart();
    else this.way.leave(this.place);
    return error;
  }

  private async pin(): Promise<this> {
    try {
      const first = await this.look();
      if (this.standby && this.place) throw new Error(`connected to a standby at ${this.place.host}`);
      const wrong = this.settings.filter((setting, at) => !holds(setting, first.values[at]));
      const after = await (this.isPooled(first, wrong)
        ? this.sayInEachTransaction()
        : this.putAll(wrong, first));
      const refused = this.settings.findIndex((setting, at) => !holds(setting, after[at]));
      if (refused >= 0) throw refusal(this.settings[refused], after[refused]);
      this.inForce = this.settings.map(({ name }, at) => ({
        name,
        value: after[at] ?? '',
        before: after[at] === first.before[at] ? undefined : first.before[at],
      }));
      return this;
    } catch (error) {
      this.way.leave(this.place);
      await this.end().catch(() => undefined);
      throw asPoolerRefusal(error);
    }
  }

  /**
   * True if another process answers than the server named at the start, or if the start parameters have been dropped.
   */
  private isPooled({ pid }: Looked, wrong: readonly SessionSetting[]): boolean {
    if (pid !== this.processId() || wrong.some(({ late }) => !late)) this.way.pooled = true;
    return this.way.pooled;
  }

  private processId(): number {
    return (this as unknown as { processID: number | null }).processID ?? 0;
  }

  /** @returns the values in force in a transaction */
  private async sayInEachTransaction(): Promise<readonly string[]> {
    this.pooled = new PooledSession(this, this.asked);
    return (await this.look()).values;
  }

  private async putAll(wrong: readonly SessionSetting[], { values }: Looked): Promise<readonly string[]> {
    for (const setting of wrong) await this.put(setting, values[this.settings.indexOf(setting)]);
    return wrong.length > 0 ? (await this.look()).values : values;
  }

  private async look(): Promise<Looked> {
    const { rows } = await this.ask<Looked>(look(this.settings, this.processId()));
    this.standby = rows[0]?.standby === true;
    return rows[0] ?? { standby: false, pid: 0, before: [], values: [] };
  }

  private async put(setting: SessionSetting, found: string | undefined): Promise<void> {
    try {
      await this.ask('SELECT set_config($1, $2, false)', [setting.name, setting.value]);
    } catch (error) {
      if (error instanceof pg.DatabaseError) throw refusal(setting, found);
      throw error;
    }
  }

  private ask<R extends pg.QueryResultRow>(text: string, values: string[] = []): Promise<pg.QueryResult<R>> {
    return this.query<R>({ text, values, query_timeout: this.patienceMs } as pg.QueryConfig);
  }
}

/** The message of PgBouncer. PgBouncer uses its SQLSTATE for other faults too. */
const UNSUPPORTED = /^unsupported (?:options )?startup parameter/;

function asPoolerRefusal(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || !/statement pooling/.test(error.message)) return error;
  return new DatabaseRefusal(
    `A pooler in statement mode is in between, which lets nobody have a transaction (${error.message}): set pool_mode to transaction or session, or lead DATABASE_URL to PostgreSQL itself.`,
  );
}

function refusal(setting: SessionSetting | undefined, found: string | undefined): DatabaseRefusal {
  const { name = '', value = '' } = setting ?? {};
  return new DatabaseRefusal(
    `The database sets ${name} to "${found ?? ''}" and does not let Keks set it to "${value}", without which its promises do not hold: ` +
      `have a superuser ALTER ROLE ... RESET ${name}, or ALTER DATABASE ... RESET ${name}.`,
  );
}

/** `pg` reads each missing value from PGHOST, PGOPTIONS, PGSSLMODE and so on. So every value is given. */
function explicit(
  connection: DatabaseConnection & { sslnegotiation?: string | undefined },
  { startParameters, place }: Way,
): ClientConfig {
  const times = startParameters ? {} : Object.fromEntries(TIMES.map((name) => [name, 0]));
  const user = connection.user || pg.defaults.user || 'postgres';
  return {
    ...connection,
    ...times,
    user,
    host: place?.host || connection.host || 'localhost',
    port: place?.port || connection.port || 5432,
    database: connection.database || user,
    // named, because a pool hides the password from a spread
    password: connection.password,
    ssl: connection.ssl ?? false,
    options: startParameters ? startOptions(connection) : '',
    client_encoding: 'utf8',
    // if the server offers it, the proof of the password is bound to this very certificate
    enableChannelBinding: Boolean(connection.ssl),
    sslnegotiation: connection.sslnegotiation ?? 'postgres',
  } as ClientConfig;
}

interface Remembered {
  password: unknown;
  connectionParameters: Record<'password' | 'application_name' | 'replication', unknown>;
}

/** Undoes what `pg` takes from the environment when a given value is empty. */
function forgetEnvironment(
  client: pg.Client,
  { password, application_name: name }: DatabaseConnection,
): void {
  const remembered = client as unknown as Remembered;
  const { connectionParameters: parameters } = remembered;
  parameters.application_name = name || APPLICATION_NAME;
  parameters.replication = undefined;
  if (!password) parameters.password = remembered.password = null;
}

interface Asked {
  _handleAuthCleartextPassword: () => void;
  _handleAuthMD5Password: () => void;
  connection: { emit(event: 'error', error: Error): void; stream: { destroy(): void } };
}

/**
 * Refuses to send the password in clear or as an MD5 hash, which is as good: somebody else may answer in place of the
 * database. SCRAM does not reveal the password.
 */
function keepPassword(client: pg.Client, link: DatabaseLink): void {
  if (link === 'local' || link === 'verified') return;
  const asked = client as unknown as Asked;
  asked._handleAuthCleartextPassword = asked._handleAuthMD5Password = () => {
    asked.connection.emit(
      'error',
      new DatabaseRefusal(
        'The database asks for the password itself, on a way where others can read it: use scram-sha-256 in its pg_hba.conf, or sslmode=verify-full in DATABASE_URL.',
      ),
    );
    asked.connection.stream.destroy();
  };
}
