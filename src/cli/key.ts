import type { Command } from 'commander';
import type { KeyAdder, KeyState, ListedKey, SigningKeys } from '../auth/keys/signing-keys.js';
import { facts, moment, table, type Answer } from './answer.js';
import { examples, type Act } from './noun.js';

const STATES: Record<KeyState, string> = {
  published: 'published, signs later',
  signing: 'signs',
  verifying: 'verifies what it has signed',
  retired: 'retired',
};

/** The keys that sign JWTs. They rotate by themselves; here somebody does it by hand. */
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
    .description('every key, and what it does')
    .addHelpText(...examples('keks key list'))
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

async function list(): Promise<Answer> {
  const keys = await withKeys((service) => service.list());
  const rows = keys.map((one) => [
    one.kid,
    one.alg,
    STATES[one.state],
    moment(one.signsFrom),
    one.retiresAt ? moment(one.retiresAt) : '',
  ]);
  return { json: keys.map(publicOf), text: table(['KID', 'ALG', 'STATE', 'SIGNS_FROM', 'RETIRES_AT'], rows) };
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

async function withKeys<T>(work: (keys: SigningKeys, by: KeyAdder) => Promise<T>): Promise<T> {
  const [{ withServices }, { SigningKeys }, { OPERATOR }] = await Promise.all([
    import('./services.js'),
    import('../auth/keys/signing-keys.js'),
    import('../auth/request-origin.js'),
  ]);
  return withServices((services) => work(services.get(SigningKeys), { actor: 'operator', origin: OPERATOR }));
}
