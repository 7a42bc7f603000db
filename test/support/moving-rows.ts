import { Client } from 'pg';
import { connectionOf } from '../../src/database/pools.js';

export type Parent = 'access_tokens' | 'refresh_tokens' | 'audit_events';

const DAY_MS = 86_400_000;

export interface Span {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}

/** The partition that a row with this time belongs to. */
export function spanOf(parent: Parent, ms: number): Span {
  const at = new Date(ms);
  const month = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
  const daily = parent === 'access_tokens';
  const from = daily ? Math.floor(ms / DAY_MS) * DAY_MS : month;
  const to = daily ? from + DAY_MS : Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
  const day = new Date(from).toISOString().slice(0, 10).replaceAll('-', '');
  return { name: `${parent}_${day}`, from: new Date(from), to: new Date(to) };
}

/** Seconds since the epoch, as they stand in an opaque token. */
export function expiryOf(token: string): number {
  return Buffer.from(token.slice(4, 52), 'base64url').readUInt32BE(1) * 1_000;
}

/** Moves the rows of a partition into the default one, as if it had never been made. */
export async function putAstray(client: Client, parent: Parent, { name }: Span): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    name,
  ]);
  if (rows[0]?.there !== true) return;
  // all of them at once, so that nobody sees the rows twice or not at all
  await client.query(`BEGIN; LOCK TABLE ${parent} IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE ${parent} DETACH PARTITION ${name};
    INSERT INTO ${parent}_default SELECT * FROM ${name};
    DROP TABLE ${name}; COMMIT`);
}

/** Makes the partition, and holds the transaction open while `meanwhile` has been sent, as a slow machine would. */
export async function holding<T>(
  url: string,
  parent: Parent,
  { from, to }: Span,
  meanwhile: () => Promise<T>,
): Promise<T> {
  const client = new Client(connectionOf(url));
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT keks_make_partition($1, $2, $3)', [parent, from, to]);
    const answered = meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 120));
    await client.query('COMMIT');
    return await answered;
  } finally {
    await client.end();
  }
}
