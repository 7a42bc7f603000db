import {
  duration,
  flag,
  homePage,
  httpUrl,
  integer,
  issuer,
  loopbackOrHost,
  logFormat,
  logLevel,
  makingSecret,
  monthsByType,
  oneLine,
  origins,
  realm,
  schemaName,
  secrets,
  workers,
} from './parsers.js';
import { REGISTRATION_SETTINGS } from './registration-settings.js';
import { setting } from './setting.js';
import { postgresUrl } from './database-url.js';
import { trustedProxies } from './trusted-proxies.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Seconds: what ACCESS_TOKEN_TTL can be at most. Whatever must outlive every token counts with it. */
export const LONGEST_ACCESS_TOKEN_TTL = 7 * DAY;

/** Every environment variable that Keks reads. An empty one counts as absent. */
export const SETTINGS = {
  PORT: setting(integer(0, 65_535), '3000', 'TCP port'),
  WORKERS: setting(workers, '1', 'processes that share `PORT`; `auto`: as many as there are CPUs for Keks'),
  HOST: setting(
    loopbackOrHost,
    '127.0.0.1',
    'address to listen on; beyond loopback HTTPS is wanted, see below',
  ),
  OPS_PORT: setting(
    integer(1, 65_535),
    undefined,
    'another port on `HOST`, plain HTTP: `/metrics`, `/docs` (then only there), `/health/*`',
  ),
  KEEP_ALIVE: setting(
    duration(1, 2 * HOUR),
    '65s',
    'how long an idle connection stays open: longer than your proxy keeps it, 2 h at most',
  ),
  DATABASE_URL: setting(
    postgresUrl,
    undefined,
    'PostgreSQL 14 or newer; without it Keks runs its own in `DATA_DIR`',
  ),
  DATABASE_TIMEOUT: setting(
    integer(50, 60_000),
    '400',
    'milliseconds that a statement may take; more for a database far away',
  ),
  DATABASE_SCHEMA: setting(
    schemaName,
    undefined,
    'schema of the tables in `DATABASE_URL`; `public` if unset, whatever a `search_path` says',
  ),
  DATA_DIR: setting(
    oneLine,
    './.data',
    'where the embedded database and its secret key live; yours to back up',
  ),
  ISSUER: setting(
    issuer,
    undefined,
    'public URL; required with `DATABASE_URL`, else `http://127.0.0.1:PORT`',
  ),
  REALM: setting(realm, 'CookieFactory', 'the realm in every challenge'),
  AUDIENCE: setting(oneLine, undefined, 'who tokens are for by default; the issuer if unset'),
  SECRET_KEY: setting(
    makingSecret,
    undefined,
    '32 bytes or more, hex or base64url; required with `DATABASE_URL`, else made in `DATA_DIR`',
  ),
  SECRET_KEY_PREVIOUS: setting(
    secrets,
    undefined,
    'further keys, comma-separated: accepted while you rotate, and make nothing',
  ),
  ACCESS_TOKEN_TTL: setting(
    duration(1, LONGEST_ACCESS_TOKEN_TTL),
    '1h',
    'how long an access token lives, 7 days at most',
  ),
  REFRESH_TOKEN_TTL: setting(duration(1, 400 * DAY), '30d', 'how long a refresh token lives'),
  REFRESH_GRACE_PERIOD: setting(
    duration(0, 300),
    '10s',
    'how long a used refresh token gets the same answer again; 0 turns it off',
  ),
  SESSION_TTL: setting(
    duration(1, 3650 * DAY),
    '90d',
    'how long a login lives, however often it is refreshed',
  ),
  MAX_SESSIONS_PER_USER: setting(
    integer(1, 1_000_000),
    '1000',
    'living logins of one user; a further one ends the oldest',
  ),
  MAX_KEYS_PER_USER: setting(
    integer(0, 1_000_000),
    '100',
    'living API keys of one user; a further one is refused',
  ),
  ...REGISTRATION_SETTINGS,
  LEASE_TTL: setting(
    duration(1, 60),
    '1s',
    'how long a guard checks JWTs alone after it has heard; a revoke waits at most that long for it',
  ),
  RECEIVERS_PRIVATE_ADDRESSES: setting(
    flag,
    'false',
    'whether receivers of events may be at private addresses and on this host, there with plain HTTP, too',
  ),
  DPOP_WINDOW: setting(duration(5, 300), '60s', 'how far the time of a DPoP proof may be from ours'),
  DPOP_REQUIRE_NONCE: setting(flag, 'false', 'DPoP proofs need a nonce of ours: see docs/dpop.md'),
  SIGNING_KEY_TTL: setting(
    duration(DAY, 400 * DAY),
    '30d',
    'how long a key signs JWTs before the next one does',
  ),
  SIGNING_KEY_PUBLISH: setting(
    duration(60, DAY / 2),
    '10m',
    'how long a key is published before it signs; verifiers may cache the JWKS for half of it',
  ),
  AUDIT_RETENTION: setting(
    integer(1, 1_200),
    '13',
    'months that audit events are kept, besides the one that is not over',
  ),
  AUDIT_RETENTION_BY_TYPE: setting(monthsByType, '', 'fewer months for a type: `token.issued=1`, ...'),
  BCRYPT_COST: setting(integer(4, 16), '12', 'work factor of password hashes, 10 at least'),
  PASSWORD_MIN_LENGTH: setting(integer(8, 1_024), '15', 'shortest password that is accepted, in characters'),
  PASSWORD_RESET_TTL: setting(duration(60, 7 * DAY), '1h', 'how long a link for a new password can be used'),
  LOGIN_FAILURES_PER_ACCOUNT: setting(
    integer(1, 1_000),
    '10',
    'failed logins of one account from one address in a window, then 429',
  ),
  LOGIN_FAILURES_PER_ADDRESS: setting(
    integer(1, 100_000),
    '100',
    'failed logins, or client authentications, from one address in a window, then 429',
  ),
  LOGIN_FAILURES_IN_A_ROW: setting(
    integer(10, 10_000),
    '100',
    'failed logins of one account without a right one, from anywhere, then 429 until an operator helps',
  ),
  LOGINS_PER_ACCOUNT: setting(
    integer(1, 100_000),
    '300',
    'right logins of one account in a window, then 429: a token is for more than one request',
  ),
  LOGIN_FAILURE_WINDOW: setting(duration(1, DAY), '15m', 'how long failures and logins count'),
  TLS_CERT: setting(
    oneLine,
    undefined,
    'file with the certificate chain (PEM); serves HTTPS together with `TLS_KEY`',
  ),
  TLS_KEY: setting(oneLine, undefined, 'file with the private key (PEM)'),
  TRUST_PROXY: setting(
    trustedProxies,
    undefined,
    'TLS proxies whose `X-Forwarded-For` is believed: addresses, networks, `loopback`, comma-separated; or how many',
  ),
  CORS_ORIGINS: setting(
    origins,
    undefined,
    'origins whose pages may call from a browser, comma-separated; none by default',
  ),
  ALLOW_HTTP: setting(
    flag,
    'false',
    'permits plain HTTP beyond loopback: only where something else encrypts',
  ),
  HSTS_SUBDOMAINS: setting(
    flag,
    'false',
    'HTTPS only for all hosts below that of `ISSUER` too: browsers keep to it for a year',
  ),
  LOG_LEVEL: setting(logLevel, 'info', '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`'),
  LOG_FORMAT: setting(
    logFormat,
    'auto',
    '`text` for people, `json` for programs; `auto`: text on a terminal, JSON everywhere else',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    httpUrl,
    undefined,
    'collector for traces (OTLP over HTTP); with it the other `OTEL_*` count too',
  ),
  DEMO: setting(
    flag,
    undefined,
    "the story's demo user; on with the embedded database, refused with `DATABASE_URL`",
  ),
  HOME_PAGE: setting(homePage, 'story', 'what `GET /` shows: `story`, `console`, or `none` (404)'),
  SHUTDOWN_DELAY: setting(
    duration(0, 300),
    undefined,
    'time between SIGTERM and closing the port; 5 s, embedded 0',
  ),
};

type Table = typeof SETTINGS;
type Value<S> = S extends { parse: (text: string) => infer T } ? T : never;

export type Settings = {
  [K in keyof Table]: Table[K] extends { fallback: string } ? Value<Table[K]> : Value<Table[K]> | undefined;
};
