import type { ClientRecord } from '../../auth/clients/clients.service.js';
import type { Explanation } from '../../auth/tokens/token-explainer.js';

/** What introspection tells an API about a token, and why. */
export interface Told {
  readonly json: { readonly client_id: string; readonly active: boolean; readonly reason: string | null };
  readonly text: string;
}

/** The answer of introspection for this client. The client itself is never told the reason. */
export async function toldTo(asker: ClientRecord, explanation: Explanation): Promise<Told> {
  const reason = await reasonFor(asker, explanation);
  return {
    json: { client_id: asker.clientId, active: reason === undefined, reason: reason?.[0] ?? null },
    text: reason
      ? `${asker.clientId} (${asker.name}) is ${reason[1]}`
      : `${asker.clientId} (${asker.name}) is told that it is active, and what it may do.`,
  };
}

type Reason = readonly [code: string, text: string];

async function reasonFor(
  { clientId, audience, disabled }: ClientRecord,
  { kind, flaws, facts }: Explanation,
): Promise<Reason | undefined> {
  const [{ maySee }, { FIRST_PARTY_CLIENT }, { isSamePlace }] = await Promise.all([
    import('../../auth/clients/may-see.js'),
    import('../../auth/tokens/token-lookup.sql.js'),
    import('keks-guard/internals'),
  ]);
  if (disabled) return ['client_disabled', 'disabled: whatever it asks, the answer is 401.'];
  if (!kind || !facts || kind === 'client_secret') return ['not_active', 'told that it is not active.'];
  const dead = flaws.some((flaw) => flaw !== 'wrong_kind');
  if (dead) return ['not_active', 'told that it is not active.'];
  const tokenFor = facts.audience === null ? [] : [facts.audience];
  const token = { kind, clientId: facts.client_id ?? FIRST_PARTY_CLIENT, audience: tokenFor };
  if (maySee({ clientId, audience }, token)) return undefined;
  if (kind === 'refresh') return ['wrong_kind', 'told that it is not active: a refresh token is for no API.'];
  const others = audience.length === 0 ? 'has no audience' : `is ${audience.join(' and ')}`;
  const same = tokenFor.some((one) => audience.some((other) => isSamePlace(one, other)));
  return [
    'wrong_audience',
    `told that it is not active: the token is for ${tokenFor.join(' and ')}, and the client ${others}.${
      same ? ' That is one address, spelled in two ways: audiences are compared letter by letter.' : ''
    }`,
  ];
}
