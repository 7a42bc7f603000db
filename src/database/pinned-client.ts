/** Every connection of the program is made here, and is what it should be before anybody uses it. */
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
/** In pg_stat_activity and the server's log, unless DATABASE_URL says another. */
const APPLICATION_NAME = 'keks';

export interface SettingInForce {
  readonly name: string;
  readonly value: string;
  /** What it was before, if it had to be changed. */
  readonly before: string | undefined;
}

/** A connection of its own, which a lost server does not end the process with. @throws DatabaseRefusal */
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

/** Reads nothing of the environment, and has its settings in force and looked at when `connect` is over. */
export class PinnedClient extends pg.Client {
  /** Of the time of its connection. */
  standby = false;
  inForce: readonly SettingInForce[] = [];
  readonly schema: string | undefined;
  readonly way: Way;
  /** Where a pooler is in between: how its transactions begin. */
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

  /** @throws DatabaseRefusal naming a setting that cannot be had here */
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

  /** What a pooler does not take at the start is not said to it again. */
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

  /** Another process answers than the one that we were told of; or what was said at the start has been dropped. */
  private isPooled({ pid }: Looked, wrong: readonly SessionSetting[]): boolean {
    if (pid !== this.processId() || wrong.some(({ late }) => !late)) this.way.pooled = true;
    return this.way.pooled;
  }

  private processId(): number {
    return (this as unknown as { processID: number | null }).processID ?? 0;
  }

  /** @returns the values that are in force in a transaction */
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

/** PgBouncer's words; its code for them is also that of other faults. */
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

/** Where nothing is said, `pg` looks into PGHOST, PGOPTIONS, PGSSLMODE and so on: so all of it is said. */
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
    // a pool keeps it out of what is spread
    password: connection.password,
    ssl: connection.ssl ?? false,
    options: startParameters ? startOptions(connection) : '',
    client_encoding: 'utf8',
    // where the server offers it, the password is proved for this very certificate
    enableChannelBinding: Boolean(connection.ssl),
    sslnegotiation: connection.sslnegotiation ?? 'postgres',
  } as ClientConfig;
}

interface Remembered {
  password: unknown;
  connectionParameters: Record<'password' | 'application_name' | 'replication', unknown>;
}

/** What it takes from the environment where the value that was said is as good as none. */
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

/** Whoever answers in the database's place asks for it in clear, or for a hash that is as good: SCRAM tells it to nobody. */
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
