import { dataDirFlaw } from './data-dir-trust.js';
import { databaseLinkFlaw } from './database-link.js';
import { databaseUrlFlaws } from './database-url.js';
import { isLoopback } from './loopback.js';
import { ConfigError, readSettings } from './read-settings.js';
import type { Settings } from './settings.js';
import { withSecretFiles } from './secret-files.js';
import { embeddedSecretKey } from './secret-file.js';

export { ConfigError };

/**
 * Everything that the environment decides, parsed, checked and frozen. Times are whole seconds unless their name ends in
 * `Ms`.
 */
export type Config = Readonly<
  Omit<Settings, 'ISSUER' | 'SECRET_KEY' | 'DEMO' | 'AUDIENCE' | 'SHUTDOWN_DELAY'> & {
    /** True when Keks runs its own PostgreSQL in `DATA_DIR`. */
    embedded: boolean;
    ISSUER: string;
    AUDIENCE: string;
    SECRET_KEY: Buffer;
    DEMO: boolean;
    SHUTDOWN_DELAY: number;
  }
>;

/**
 * Environment -> Config. Collects every problem before it complains.
 * In embedded mode it makes `DATA_DIR/secret.key` (mode 0600) where `SECRET_KEY` is absent.
 * @throws ConfigError whose message has one line a problem, each naming the setting and the mend
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const { settings, problems, embedded } = checkSettings(environment);
  const flaw = embedded ? dataDirFlaw(settings.DATA_DIR) : undefined;
  if (flaw !== undefined) problems.push(flaw);
  if (problems.length > 0) throw new ConfigError(problems);
  const issuer = settings.ISSUER ?? `${settings.TLS_CERT ? 'https' : 'http'}://127.0.0.1:${settings.PORT}`;
  return Object.freeze({
    ...settings,
    embedded,
    ISSUER: issuer,
    AUDIENCE: settings.AUDIENCE ?? issuer,
    SECRET_KEY: settings.SECRET_KEY ?? embeddedSecretKey(settings.DATA_DIR),
    DEMO: settings.DEMO ?? embedded,
    SHUTDOWN_DELAY: settings.SHUTDOWN_DELAY ?? (embedded ? 0 : 5),
  });
}

/** What `loadConfig` would read and complain about, without writing to the disk. For verbs that only look. */
export function checkSettings(given: NodeJS.ProcessEnv = process.env): {
  settings: Settings;
  problems: string[];
  /** A URL that cannot be used still means that there is one. */
  embedded: boolean;
} {
  const { environment, problems: unread } = withSecretFiles(given);
  const { settings, problems } = readSettings(environment);
  const embedded = !environment['DATABASE_URL'] && !environment['DATABASE_URL_FILE'];
  return {
    settings,
    embedded,
    problems: [
      ...unread,
      ...problems,
      ...crossChecks(settings, embedded, environment),
      ...urlChecks(settings, embedded, environment),
      ...retentionFlaws(settings),
    ],
  };
}

function crossChecks(settings: Settings, embedded: boolean, environment: NodeJS.ProcessEnv): string[] {
  const problems: string[] = [];
  const demand = (holds: boolean, problem: string) => void (holds || problems.push(problem));
  demand(
    embedded || settings.ISSUER !== undefined || Boolean(environment['ISSUER']),
    'ISSUER is required with DATABASE_URL: set it to the public URL of this authority.',
  );
  demand(
    embedded ||
      settings.SECRET_KEY !== undefined ||
      Boolean(environment['SECRET_KEY'] || environment['SECRET_KEY_FILE']),
    'SECRET_KEY is required with DATABASE_URL: make one with "openssl rand -hex 32".',
  );
  demand(
    !settings.DEMO || embedded,
    'DEMO is for the embedded database only: unset it, or unset DATABASE_URL.',
  );
  demand(
    settings.BCRYPT_COST >= 10 || environment['NODE_ENV'] === 'test',
    'BCRYPT_COST must be at least 10 outside tests.',
  );
  demand(
    (settings.TLS_CERT === undefined) === (settings.TLS_KEY === undefined),
    'TLS_CERT and TLS_KEY go together: set both or neither.',
  );
  demand(
    settings.OPS_PORT === undefined || settings.OPS_PORT !== settings.PORT,
    'OPS_PORT must be another port than PORT.',
  );
  const issuer = settings.ISSUER && new URL(settings.ISSUER);
  demand(
    !issuer || issuer.protocol === 'https:' || isLoopback(issuer.hostname) || settings.ALLOW_HTTP,
    'ISSUER must be an https URL unless it is on loopback: use https, or set ALLOW_HTTP=true if you must.',
  );
  demand(
    isLoopback(settings.HOST) || Boolean(settings.TLS_CERT || settings.TRUST_PROXY || settings.ALLOW_HTTP),
    `HOST=${settings.HOST} would serve plain HTTP beyond this machine: set TLS_CERT and TLS_KEY, or TRUST_PROXY behind a TLS proxy, or ALLOW_HTTP=true.`,
  );
  demand(
    !settings.OPS_PORT || !settings.TLS_CERT || isLoopback(settings.HOST) || settings.ALLOW_HTTP,
    'OPS_PORT would serve Swagger UI, where people type passwords, by plain HTTP beyond this machine: unset it, or set ALLOW_HTTP=true where only operators reach that port.',
  );
  const collector = settings.OTEL_EXPORTER_OTLP_ENDPOINT && new URL(settings.OTEL_EXPORTER_OTLP_ENDPOINT);
  demand(
    !collector || collector.protocol === 'https:' || isLoopback(collector.hostname) || settings.ALLOW_HTTP,
    'OTEL_EXPORTER_OTLP_ENDPOINT must be an https URL unless it is on loopback: use https, or set ALLOW_HTTP=true if nobody can be in between.',
  );
  const strangers = settings.REGISTRATION !== 'off' || settings.CLIENT_METADATA_DOCUMENTS;
  demand(
    !strangers || settings.REGISTRATION_SCOPE !== undefined,
    'REGISTRATION and CLIENT_METADATA_DOCUMENTS want REGISTRATION_SCOPE: say what clients that nobody here has added may ask people for.',
  );
  for (const name of ['TYPEORM_SYNCHRONIZE', 'DB_SYNCHRONIZE', 'DATABASE_SYNCHRONIZE'])
    demand(
      !environment[name] || ['false', '0'].includes(environment[name]),
      `${name} is refused: the schema changes by migrations only. Unset it.`,
    );
  return problems;
}

/**
 * Keks takes from DATABASE_URL what `libpq` would take from the environment, and ignores the environment. Where that would be
 * unsafe, it says so.
 */
function urlChecks(
  { DATABASE_URL: url, DATABASE_SCHEMA }: Settings,
  embedded: boolean,
  environment: NodeJS.ProcessEnv,
): string[] {
  if (embedded)
    return DATABASE_SCHEMA === undefined ? [] : ['DATABASE_SCHEMA goes with DATABASE_URL: unset it.'];
  if (url === undefined) return [];
  const problems = databaseUrlFlaws(url);
  const link = problems.length > 0 ? undefined : databaseLinkFlaw(url);
  if (link !== undefined) problems.push(link);
  if ((environment['PGSSLMODE'] ?? 'disable') !== 'disable' && !/[?&](?:ssl|sslmode)=/.test(url))
    problems.push('PGSSLMODE is not read: put sslmode=... into DATABASE_URL, and unset it.');
  if (environment['PGPASSWORD'] && !/^[^/]*\/\/[^/@:]*:[^/@]|[?&]password=/.test(url))
    problems.push('PGPASSWORD is not read: put the password into DATABASE_URL, and unset it.');
  return problems;
}

/** Where Nest finds the Config. */
export const CONFIG = Symbol('CONFIG');

function retentionFlaws({ AUDIT_RETENTION: months, AUDIT_RETENTION_BY_TYPE: byType }: Settings): string[] {
  const fewer = byType.split(',').every((entry) => Number(entry.split('=')[1] ?? 0) < months);
  if (fewer) return [];
  return [
    'AUDIT_RETENTION_BY_TYPE has a type that would be kept as long as the whole log: say fewer months than AUDIT_RETENTION, or leave it out.',
  ];
}
