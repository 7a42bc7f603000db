import type { Client } from 'pg';

/** Looks for secrets in what is stored and said, in every spelling in which one could hide there. */

export interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Place {
  readonly name: string;
  readonly text: string;
}

const percent = (bytes: Buffer): string => [...bytes].map((byte) => `%${hex(byte)}`).join('');
const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Base64 of something longer that holds these bytes: one for each of the three ways in which they can fall. */
function within(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    return text.slice(first, last);
  });
}

/** All spellings; those in lower case are looked for without regard to case. */
function spellings({ bytes }: Secret): { exact: string[]; folded: string[] } {
  const base64 = within(bytes);
  const text = bytes.toString('utf8');
  const printable = Buffer.from(text).equals(bytes);
  const words = printable
    ? [
        text,
        JSON.stringify(text).slice(1, -1),
        encodeURIComponent(text),
        new URLSearchParams([['', text]]).toString().slice(1),
      ]
    : [bytes.toString('latin1')];
  return {
    exact: [...words, ...base64, ...base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_'))],
    folded: [bytes.toString('hex'), percent(bytes)],
  };
}

/** @returns `secret in place`, for each that is found */
export function leaks(secrets: readonly Secret[], places: readonly Place[]): string[] {
  const found: string[] = [];
  for (const place of places) {
    const folded = place.text.toLowerCase();
    for (const secret of secrets) {
      const { exact, folded: inLowerCase } = spellings(secret);
      if (exact.some((one) => place.text.includes(one)) || inLowerCase.some((one) => folded.includes(one)))
        found.push(`${secret.name} in ${place.name}`);
    }
  }
  return found;
}

/** Every table, every row, every column: as text, and bytes also as hexadecimal, Base64 and themselves. */
export async function dump(client: Client): Promise<Place[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      ORDER BY 1`,
  );
  const places: Place[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT t.*, t::text AS "whole row" FROM ${name} t`,
    );
    places.push({ name, text: rows.flatMap((row) => Object.values(row).flatMap(asText)).join('\n') });
  }
  return places;
}

function asText(value: unknown): string[] {
  if (Buffer.isBuffer(value))
    return (['hex', 'base64', 'base64url', 'latin1', 'utf8'] as const).map((one) => value.toString(one));
  return [String(value), JSON.stringify(value) ?? ''];
}
