import { describePooler, meetPooler } from '../../../database/pooler.js';
import type { DatabaseConnection } from '../../../database/session-settings.js';
import { ok, warn, type Finding } from './finding.js';

/** @param connection of a client that has connected: what it met is known there */
export async function checkPooler(connection: DatabaseConnection): Promise<Finding> {
  const check = 'pooler';
  const facts = await meetPooler(connection);
  if (!facts) return ok(check, 'none: PostgreSQL itself answers');
  if (facts.renames || facts.session) return ok(check, describePooler(facts));
  return warn(
    check,
    describePooler(facts),
    'let it keep prepared statements (PgBouncer 1.21 and newer: max_prepared_statements = 100), or use session mode',
  );
}
