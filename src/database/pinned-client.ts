/** Every connection of the program is made here, and is what it should be before anybody uses it. */
import pg from 'pg';
import type { ClientConfig } from 'pg';
import { databaseLink, type DatabaseLink } from '../config/database-link.js';
import { DatabaseRefusal } from './database-refusal.js';
import { asTlsRefusal } from './tls-refusal.js';
import {
  holds,
  look,
  settingsOf,
  startOptions,
  type DatabaseConnection,
  type SessionSetting,
} from './session-settings.js';

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
  const client = new PinnedClient({
    ...connection,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    ...more,
  });
  await client.connect();
  return client;
}

/** Reads nothing of the environment, and has its settings in force and looked at when `connect` is over. */
export class PinnedClient extends pg.Client {
  /** Of the time of its connection. */
  standby = false;
  inForce: readonly SettingInForce[] = [];
  readonly schema: string | undefined;
  private readonly settings: readonly SessionSetting[];
  private readonly patienceMs: number;

  constructor(connection: DatabaseConnection = {}) {
    super(explicit(connection));
    forgetEnvironment(this, connection);
    keepPassword(this, databaseLink(explicit(connection)));
    this.schema = connection.schema;
    this.settings = settingsOf(connection);
    this.patienceMs = connection.connectionTimeoutMillis ?? CONNECT_MS;
    this.on('error', () => undefined);
  }

  /** @throws DatabaseRefusal naming a setting that cannot be had here */
  override connect(): Promise<PinnedClient>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<PinnedClient> | void {
    const connected = super.connect().then(
      () => this.pin(),
      (error: unknown) => Promise.reject(asTlsRefusal(error)),
    );
    if (!callback) return connected;
    connected.then(() => callback(null as unknown as Error), callback);
  }

  private async pin(): Promise<this> {
    try {
      const { before, values } = await this.look();
      const wrong = this.settings.filter((setting, at) => !holds(setting, values[at]));
      for (const setting of wrong) await this.put(setting, values[this.settings.indexOf(setting)]);
      const after = wrong.length > 0 ? (await this.look()).values : values;
      const refused = this.settings.findIndex((setting, at) => !holds(setting, after[at]));
      if (refused >= 0) throw refusal(this.settings[refused], after[refused]);
      this.inForce = this.settings.map(({ name }, at) => ({
        name,
        value: after[at] ?? '',
        before: after[at] === before[at] ? undefined : before[at],
      }));
      return this;
    } catch (error) {
      await this.end().catch(() => undefined);
      throw error;
    }
  }

  private async look(): Promise<{ before: readonly string[]; values: readonly string[] }> {
    const { rows } = await this.ask<{ standby: boolean; before: string[]; values: string[] }>(
      look(this.settings),
    );
    this.standby = rows[0]?.standby === true;
    return rows[0] ?? { before: [], values: [] };
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

function refusal(setting: SessionSetting | undefined, found: string | undefined): DatabaseRefusal {
  const { name = '', value = '' } = setting ?? {};
  return new DatabaseRefusal(
    `The database sets ${name} to "${found ?? ''}" and does not let Keks set it to "${value}", without which its promises do not hold: ` +
      `have a superuser ALTER ROLE ... RESET ${name}, or ALTER DATABASE ... RESET ${name}.`,
  );
}

/** Where nothing is said, `pg` looks into PGHOST, PGOPTIONS, PGSSLMODE and so on: so all of it is said. */
function explicit(connection: DatabaseConnection & { sslnegotiation?: string | undefined }): ClientConfig {
  const user = connection.user || pg.defaults.user || 'postgres';
  return {
    ...connection,
    user,
    host: connection.host || 'localhost',
    port: connection.port || 5432,
    database: connection.database || user,
    // a pool keeps it out of what is spread
    password: connection.password,
    ssl: connection.ssl ?? false,
    options: startOptions(connection),
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
