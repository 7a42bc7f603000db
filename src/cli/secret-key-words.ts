import type { Need, Needing, SecretKeyFacts } from '../auth/secrets/secret-key-needs.js';
import { moment, table } from './answer.js';

const HERE = { makes: 'makes', accepted: 'accepted', absent: 'not here' } as const;
const WORDS: Record<Needing, readonly [one: string, many: string]> = {
  passwords: ['password', 'passwords'],
  access_tokens: ['access token', 'access tokens'],
  refresh_tokens: ['refresh token', 'refresh tokens'],
  api_keys: ['API key', 'API keys'],
  client_secrets: ['client secret', 'client secrets'],
  signing_keys: ['signing key', 'signing keys'],
  receivers: ['receiver', 'receivers'],
};
/** Their rows do not tell the key: what was made while it was in use is counted. */
const AT_MOST: readonly Needing[] = ['access_tokens', 'refresh_tokens'];

/** "3 passwords, at most 12 refresh tokens (until 2026-01-31T12:00:00Z)"; empty if nothing needs it. */
export function needsInWords({ needs }: SecretKeyFacts): string {
  return (Object.entries(needs) as [Needing, Need][])
    .map(([kind, { count, until }]) => {
      const most = AT_MOST.includes(kind) ? 'at most ' : '';
      return `${most}${count} ${WORDS[kind][count === 1 ? 0 : 1]}${until ? ` (until ${moment(until)})` : ''}`;
    })
    .join(', ');
}

export function secretKeyTable(all: readonly SecretKeyFacts[]): string {
  const rows = all.map((one) => [
    one.keyId ?? '(not noted)',
    HERE[one.here],
    one.inUse ? 'yes' : 'no',
    needsInWords(one) || 'nothing',
  ]);
  return table(['SECRET_KEY', 'HERE', 'IN_USE', 'NEEDED_BY'], rows);
}

export function publicSecretKey(one: SecretKeyFacts): object {
  const needs = Object.entries(one.needs).map(([kind, { count, until }]) => [
    kind,
    { count, until: until?.toISOString() ?? null },
  ]);
  return {
    key_id: one.keyId,
    here: one.here,
    in_use: one.inUse,
    last_made_at: one.lastMadeAt?.toISOString() ?? null,
    refused: one.refused,
    needed_by: Object.fromEntries(needs),
  };
}
