import type { Config } from '../config/config.js';
import { databaseLink, LINKS } from '../config/database-link.js';
import { hostsOf } from '../config/database-url.js';
import { connectionOf } from '../database/pools.js';
import { VERSION } from '../version.js';

/** What a reader of the log wants to know about a start. Leaves out DATABASE_URL, because it holds a password. */
export function startFacts(config: Config, port: number): object {
  const url = config.DATABASE_URL ?? '';
  const connection = connectionOf(url);
  const { host, port: databasePort, database: name } = connection;
  const { places } = hostsOf(url);
  const where = places.length > 0 ? { hosts: places } : { host, port: databasePort };
  return {
    version: VERSION,
    address: addressOf(config, port),
    issuer: config.ISSUER,
    database: { ...where, name, link: LINKS[databaseLink(connection)] },
    on: switchedOn(config),
  };
}

function addressOf({ TLS_CERT, HOST }: Config, port: number): string {
  const host = HOST.includes(':') ? `[${HOST}]` : HOST;
  return `${TLS_CERT ? 'https' : 'http'}://${host}:${port}`;
}

/** The settings in which instances can differ: their names, and the values of numeric settings. */
function switchedOn(config: Config): string[] {
  const found: string[] = [];
  if (config.WORKERS > 1) found.push(`WORKERS=${config.WORKERS}`);
  if (config.OPS_PORT !== undefined) found.push(`OPS_PORT=${config.OPS_PORT}`);
  if (config.TLS_CERT !== undefined) found.push('TLS_CERT');
  if (config.ALLOW_HTTP) found.push('ALLOW_HTTP');
  if (config.SECRET_KEY_PREVIOUS !== undefined) found.push('SECRET_KEY_PREVIOUS');
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) found.push('OTEL_EXPORTER_OTLP_ENDPOINT');
  for (const name of ['TRUST_PROXY', 'CORS_ORIGINS'] as const) if (isSet(config[name])) found.push(name);
  return found;
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
