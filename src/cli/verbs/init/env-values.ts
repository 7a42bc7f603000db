import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkSettings } from '../../../config/config.js';

export interface InitOptions {
  readonly issuer?: string | undefined;
  readonly port?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly domain?: string | undefined;
}

export interface EnvValues {
  readonly values: Readonly<Record<string, string>>;
  /** One line for each problem, with what to do; none if a server would start with these values. */
  readonly problems: readonly string[];
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** The values of the file, checked as the server will check them. */
export function envValues(options: InitOptions): EnvValues {
  return options.domain === undefined ? forServer(options) : forCompose(options, options.domain);
}

function forServer({ issuer, port, databaseUrl }: InitOptions): EnvValues {
  const own = databaseUrl === undefined && hasKeyFile();
  const values = {
    ...(own ? {} : { SECRET_KEY: randomBytes(32).toString('hex') }),
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    ...(issuer !== undefined && { ISSUER: issuer }),
    ...(port !== undefined && { PORT: port }),
  };
  return { values, problems: checkSettings(values).problems };
}

/** The variables of docker-compose.yml, from which it makes the server's. */
function forCompose({ issuer, port, databaseUrl }: InitOptions, domain: string): EnvValues {
  const problems: string[] = [];
  if (issuer !== undefined || port !== undefined || databaseUrl !== undefined)
    problems.push('--domain stands alone: docker-compose.yml decides the rest.');
  if (!HOST_NAME.test(domain)) problems.push('--domain takes a host name, such as auth.example.com.');
  if (hasKeyFile())
    problems.push(
      'There is an embedded Keks in DATA_DIR, whose secret.key a SECRET_KEY in .env would shadow: use another folder, or write to another file with --file and give that to "docker compose --env-file".',
    );
  const values = {
    DOMAIN: domain,
    POSTGRES_PASSWORD: randomBytes(24).toString('hex'),
    SECRET_KEY: randomBytes(32).toString('hex'),
  };
  return { values, problems };
}

/** An embedded Keks has run here. A new key would invalidate its tokens and passwords. */
function hasKeyFile(): boolean {
  return existsSync(join(checkSettings().settings.DATA_DIR, 'secret.key'));
}
