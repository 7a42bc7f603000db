import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { startEmbedded, type EmbeddedPostgres } from '../database/embedded/embedded-postgres.js';
import { CONNECTIONS_MOST } from '../database/pools.js';

/** PostgreSQL's own default. */
const CONNECTIONS_USUAL = 100;
/** Connections for the owner's lock, the command line and operators. */
const CONNECTIONS_SPARE = 20;

/** The embedded database, with connections for all workers; undefined with DATABASE_URL. @throws EmbeddedRefusal */
export async function startOwnDatabase(
  config: Config,
  logger: Logger,
): Promise<EmbeddedPostgres | undefined> {
  if (!config.embedded) return undefined;
  const connections = config.WORKERS * CONNECTIONS_MOST + CONNECTIONS_SPARE;
  return startEmbedded({
    dataDir: config.DATA_DIR,
    log: (line) => logger.info(line),
    settings: connections > CONNECTIONS_USUAL ? { max_connections: String(connections) } : {},
  });
}
