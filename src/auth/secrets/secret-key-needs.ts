import { isRefused, makes } from './secret-key-register.js';
import { NEEDS, type NeedRow } from './secret-key-needs.sql.js';
import { READ_SECRET_KEYS, type SecretKeyRow } from './secret-key.sql.js';
import { acceptedSecrets, secretKeyId, type SecretKeysConfig } from './secret-keys.js';
import { databaseTime } from '../../database/clock.js';
import type { Queries } from '../../database/statement.js';
import { pepperId } from './pepper-id.js';

export type Needing = keyof typeof NEEDS;

export interface Need {
  readonly count: number;
  /** When the last of them is over at the latest; null if they have no end. */
  readonly until: Date | null;
}

export interface SecretKeyFacts {
  /** Null for what was made before keys were noted, with one of the keys that were in use then. */
  readonly keyId: string | null;
  /** What this instance does with it: makes new things with it, accepts it, or does not have it. */
  readonly here: 'makes' | 'accepted' | 'absent';
  /** Whether any instance makes with it at present. */
  readonly inUse: boolean;
  readonly lastMadeAt: Date | null;
  /** Whether an instance has said of late that it does not accept it. */
  readonly refused: boolean;
  readonly needs: Readonly<Partial<Record<Needing, Need>>>;
}

interface Known {
  readonly keyId: string;
  readonly pepper: string;
  readonly row: SecretKeyRow | undefined;
  readonly here: SecretKeyFacts['here'];
}

/**
 * For operators: each key that is configured here, in use anywhere or needed by anything, and what needs it.
 * @param at by default the database's time
 */
export async function secretKeyFacts(
  queries: Queries,
  config: SecretKeysConfig,
  at?: Date,
): Promise<SecretKeyFacts[]> {
  const now = at ?? (await databaseTime(queries));
  const known = knownKeys(await queries.run<SecretKeyRow>(READ_SECRET_KEYS), config);
  const needs = new Map<string | null, Partial<Record<Needing, Need>>>();
  for (const kind of Object.keys(NEEDS) as Needing[])
    for (const row of await queries.run<NeedRow>(NEEDS[kind], [now])) {
      const keyId = kind === 'passwords' ? keyOfPepper(row.key_id, known) : row.key_id;
      const need = { count: row.count, until: row.until };
      if (need.count > 0) needs.set(keyId, { ...needs.get(keyId), [kind]: need });
    }
  const unlisted = [...needs.keys()].filter((id) => !known.some(({ keyId }) => keyId === id));
  return [
    ...known.map((one) => factsOf(one, needs.get(one.keyId) ?? {}, now.getTime())),
    ...unlisted.map((keyId) => ({ ...ABSENT, keyId, needs: needs.get(keyId) ?? {} })),
  ];
}

const ABSENT = { here: 'absent', inUse: false, lastMadeAt: null, refused: false } as const;

function knownKeys(rows: readonly SecretKeyRow[], config: SecretKeysConfig): Known[] {
  const configured = acceptedSecrets(config).map((secret, at): Known => {
    const keyId = secretKeyId(secret);
    const row = rows.find((one) => one.key_id === keyId);
    return { keyId, pepper: pepperId(secret), row, here: at === 0 ? 'makes' : 'accepted' };
  });
  const others = rows
    .filter((row) => !configured.some(({ keyId }) => keyId === row.key_id))
    .map((row): Known => ({ keyId: row.key_id, pepper: row.pepper_id, row, here: 'absent' }));
  return [...configured, ...others];
}

/** If no known key has this pepper, the pepper names the unknown key. */
function keyOfPepper(pepper: string | null, known: readonly Known[]): string | null {
  return known.find((one) => one.pepper === pepper)?.keyId ?? (pepper === null ? null : `pepper ${pepper}`);
}

function factsOf({ keyId, row, here }: Known, needs: SecretKeyFacts['needs'], now: number): SecretKeyFacts {
  return {
    keyId,
    here,
    inUse: row !== undefined && makes(row, now),
    lastMadeAt: row?.last_made_at ?? null,
    refused: row !== undefined && isRefused(row, now),
    needs,
  };
}
