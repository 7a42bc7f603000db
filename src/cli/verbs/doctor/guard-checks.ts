import type { Client } from 'pg';
import { READ_INSTANCES, type InstanceRow } from '../../../auth/leases/leases.sql.js';
import { ok, warn, type Finding } from './finding.js';

const CHECK = 'guards';
/** A guard that keeps up is told within milliseconds. */
const MANY = 1_000;
/** An instance that is silent for this many leases counts as gone. */
const SILENT = 3;

/** Whether revokes have to wait for guards that do not answer, or for instances that are gone. */
export async function checkGuards(client: Client): Promise<Finding[]> {
  const { rows } = await client.query<InstanceRow>(READ_INSTANCES.text);
  if (rows.length === 0) return [ok(CHECK, 'no API checks JWTs alone at the moment')];
  const found = rows.flatMap(judge);
  const lengths = new Set(rows.map(({ ttl_ms }) => ttl_ms));
  if (lengths.size > 1)
    found.push(
      warn(
        CHECK,
        `LEASE_TTL is ${[...lengths].map((ms) => `${ms / 1_000} s`).join(' and ')} on different instances`,
        'set the same on all',
      ),
    );
  const guards = rows.reduce((sum, row) => sum + row.guards, 0);
  return found.length > 0 ? found : [ok(CHECK, `${guards} of ${rows.length} instances, all told`)];
}

function judge({ instance, ttl_ms, renewed, unconfirmed }: InstanceRow): Finding[] {
  if (renewed > SILENT * ttl_ms)
    return [
      warn(
        CHECK,
        `instance ${instance} has renewed no lease for ${Math.round(renewed / 1_000)} s, and is still registered`,
        'nothing, if it was killed: the next revoke waits for it once. Else see why it cannot reach the database',
      ),
    ];
  if (unconfirmed <= MANY) return [];
  return [
    warn(
      CHECK,
      `guards of instance ${instance} have not confirmed ${unconfirmed} revocations`,
      'see with "keks guard list" which are behind, and whether they can reach Keks',
    ),
  ];
}
