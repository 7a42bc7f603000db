import type { Client } from 'pg';
import { misspelledAudiences } from '../../../auth/clients/audience-flaws.js';
import { ok, warn, type Finding } from './finding.js';

const CHECK = 'clients';
/** This many clients are named. */
const NAMED = 5;

interface Row {
  readonly client_id: string;
  readonly name: string;
  readonly audience: string[];
  readonly reaches_any: boolean;
}

/**
 * Checks two things: that clients get tokens only for APIs that somebody has decided on, and that APIs learn of the tokens
 * meant for them.
 */
export async function checkClients(client: Client, main: string | undefined): Promise<Finding[]> {
  // by hand: doctor has a connection of its own, and no Nest
  const { rows } = await client.query<Row>(`
    SELECT client_id, name, audience, resources IS NULL AS reaches_any
      FROM clients WHERE disabled_at IS NULL ORDER BY created_at, client_id`);
  const free = rows.filter((row) => row.reaches_any);
  const apis = rows.map((row) => ({ clientId: row.client_id, name: row.name, audience: row.audience }));
  const flaws = main === undefined ? [] : misspelledAudiences(apis, main).slice(0, NAMED);
  const found = [
    ...(free.length === 0 ? [] : [anyFinding(free)]),
    ...flaws.map((flaw) => warn(CHECK, flaw, 'add a client with the right audience, or correct AUDIENCE')),
  ];
  return found.length > 0 ? found : [ok(CHECK, 'each may ask tokens for the APIs that it was given')];
}

function anyFinding(free: readonly Row[]): Finding {
  const named = free.slice(0, NAMED).map((row) => `${row.client_id} (${row.name})`);
  const more = free.length > NAMED ? ` and ${free.length - NAMED} more` : '';
  return warn(
    CHECK,
    `${named.join(', ')}${more} may ask tokens for any API`,
    'say for which: keks client set-resources',
  );
}
