import type { Command } from 'commander';
import type { SecretKeyFacts } from '../../auth/secrets/secret-key-needs.js';
import type { KeyState, ListedKey, SigningKeys } from '../../auth/keys/signing-keys.js';
import { facts, moment, table, type Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';
import { publicSecretKey, secretKeyTable } from '../secret-key-words.js';
import type { Initiator } from '../../auth/audit/actor.js';

const STATES: Record<KeyState, string> = {
  published: 'published, signs later',
  signing: 'signs',
  verifying: 'verifies what it has signed',
  retired: 'retired',
};

/** The keys that sign JWTs. They rotate by themselves; these verbs do it by hand. */
export function key(program: Command, act: Act): void {
  const noun = program.command('key').description('the keys that sign JWTs; they rotate by themselves');
  noun
    .command('rotate')
    .description('publishes the next key now; it signs after SIGNING_KEY_PUBLISH, and no token is lost')
    .option('--compromised', 'instead: a new key signs at once, and every JWT signed by the others is dead')
    .addHelpText(...examples('keks key rotate', 'keks key rotate --compromised'))
    .action(act(rotate));
  noun
    .command('list')
    .description('every key, and what it does; and what still needs which SECRET_KEY')
    .option('--secrets', 'only which SECRET_KEY is in use where, and what needs it')
    .addHelpText(...examples('keks key list', 'keks key list --secrets --json'))
    .action(act(list));
}

async function rotate({ compromised = false }: { compromised?: boolean }): Promise<Answer> {
  const { kid, signsFrom, added } = await withKeys((keys, by) => keys.rotate(by, { compromised }));
  return {
    json: { kid, signs_from: signsFrom.toISOString(), added },
    text: facts([
      ['kid', kid],
      ['signs_from', moment(signsFrom)],
      ['', added ? null : 'A rotation was under way already: this is its key.'],
      ['', compromised ? 'All instances have dropped the other keys within a minute.' : null],
    ]),
  };
}

/** Programs that read the JSON find the signing keys alone, as before. */
async function list({ secrets = false }: { secrets?: boolean }): Promise<Answer> {
  const { keys, secretKeys } = await lists();
  const text = secretKeyTable(secretKeys);
  if (secrets) return { json: secretKeys.map(publicSecretKey), text };
  const rows = keys.map((one) => [
    one.kid,
    one.alg,
    STATES[one.state],
    moment(one.signsFrom),
    one.retiresAt ? moment(one.retiresAt) : '',
  ]);
  const signing = table(['KID', 'ALG', 'STATE', 'SIGNS_FROM', 'RETIRES_AT'], rows);
  return { json: keys.map(publicOf), text: `${signing}\n\n${text}` };
}

async function lists(): Promise<{ keys: ListedKey[]; secretKeys: SecretKeyFacts[] }> {
  const [{ withServices }, { SigningKeys }, { secretKeyFacts }, { queriesOf }] = await Promise.all([
    import('../services.js'),
    import('../../auth/keys/signing-keys.js'),
    import('../../auth/secrets/secret-key-needs.js'),
    import('../session-queries.js'),
  ]);
  return withServices(async (services, { client, config }) => ({
    keys: await services.get(SigningKeys).list(),
    secretKeys: await secretKeyFacts(queriesOf(client), config),
  }));
}

function publicOf(one: ListedKey): object {
  return {
    kid: one.kid,
    alg: one.alg,
    state: one.state,
    signs_from: one.signsFrom.toISOString(),
    retires_at: one.retiresAt?.toISOString() ?? null,
  };
}

async function withKeys<T>(work: (keys: SigningKeys, by: Initiator) => Promise<T>): Promise<T> {
  const [{ withServices }, { SigningKeys }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/keys/signing-keys.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services) => work(services.get(SigningKeys), { actor: 'operator', origin: OPERATOR }));
}
