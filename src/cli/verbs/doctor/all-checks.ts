import type { Config } from '../../../config/config.js';
import type { PinnedClient } from '../../../database/pinned-client.js';
import { checkClients } from './client-checks.js';
import type { DatabaseConnection } from '../../../database/session-settings.js';
import { checkDatabase } from './database-checks.js';
import { checkEndings } from './ending-checks.js';
import { checkGuards } from './guard-checks.js';
import type { Finding } from './finding.js';
import { checkPooler } from './pooler-checks.js';
import { checkReceivers } from './receiver-checks.js';
import { checkReplication } from './replication-checks.js';
import { checkSecretKeys } from './secret-key-checks.js';

/**
 * All checks that need the database. The content of the tables is checked only if they are as this program knows them.
 * @param connection the one that `client` was made with
 * @param keys undefined while the configuration has no usable SECRET_KEY
 */
export async function checkAll(
  client: PinnedClient,
  settings: Parameters<typeof checkDatabase>[1],
  keys: Config | undefined,
  connection: DatabaseConnection,
): Promise<Finding[]> {
  const found = await checkDatabase(client, settings);
  const known = !found.some(({ check, status }) => check === 'schema' && status === 'fail');
  return [
    ...(settings.DATABASE_URL === undefined ? [] : [await checkPooler(connection)]),
    ...(settings.DATABASE_URL === undefined ? [] : await checkReplication(client)),
    ...found,
    ...(known
      ? [
          await checkEndings(client),
          ...(await checkGuards(client)),
          ...(await checkReceivers(client)),
          ...(await checkClients(client, keys?.AUDIENCE)),
        ]
      : []),
    ...(keys && known ? await checkSecretKeys(client, keys) : []),
  ];
}
