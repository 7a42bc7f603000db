import type { Client } from 'pg';
import { secretKeyFacts, type SecretKeyFacts } from '../../../auth/secrets/secret-key-needs.js';
import type { SecretKeysConfig } from '../../../auth/secrets/secret-keys.js';
import { needsInWords } from '../../secret-key-words.js';
import { queriesOf } from '../../session-queries.js';
import { fail, ok, warn, type Finding } from './finding.js';

/**
 * Checks whether every needed key is here, whether all instances agree, and which keys may go.
 * @param config with the time, if it is not the database's
 */
export async function checkSecretKeys(
  client: Client,
  config: SecretKeysConfig & { readonly now?: Date },
): Promise<Finding[]> {
  const all = await secretKeyFacts(queriesOf(client), config, config.now);
  const unnoted = all.find(({ keyId }) => keyId === null);
  const findings = all.flatMap((one) => judge(one, unnoted !== undefined));
  const fit = !findings.some(({ check }) => check === 'passwords');
  return fit
    ? [ok('passwords', 'every one can be checked with the keys that are here'), ...findings]
    : findings;
}

function judge(one: SecretKeyFacts, someUnnoted: boolean): Finding[] {
  const check = 'secret key';
  const name = one.keyId ?? 'not noted';
  const needs = needsInWords(one);
  if (one.keyId === null)
    return [ok(check, `made before it was noted with which key: ${needs}; keep the keys of that time`)];
  if (one.here === 'absent') return absent(one, needs);
  const refused = one.refused && one.inUse;
  const findings = refused
    ? [
        fail(
          check,
          `${name} is made with, and another instance does not accept it`,
          'put it into SECRET_KEY_PREVIOUS of every instance before one makes with it',
        ),
      ]
    : [];
  if (one.here === 'makes')
    return [...findings, ok(check, `${name} makes here; needed by ${needs || 'nothing'}`)];
  return [...findings, ok(check, `${name} is accepted here; ${future(one, needs, someUnnoted)}`)];
}

function future({ inUse }: SecretKeyFacts, needs: string, someUnnoted: boolean): string {
  if (inUse) return 'another instance makes with it';
  if (needs) return `still needed by ${needs}`;
  return someUnnoted ? 'needed by nothing that was noted' : 'nothing needs it: it may go';
}

/** If a key has gone, its tokens and secrets may be meant to be dead. Its passwords and signing keys are not. */
function absent(one: SecretKeyFacts, needs: string): Finding[] {
  const { keyId, inUse } = one;
  const { passwords, signing_keys: signing, receivers, ...dead } = one.needs;
  const findings: Finding[] = [];
  if (inUse)
    findings.push(
      fail(
        'secret key',
        `another instance makes with ${keyId}, which is not accepted here`,
        'put it into SECRET_KEY_PREVIOUS here',
      ),
    );
  else if (Object.keys(dead).length > 0)
    findings.push(
      warn(
        'secret key',
        `${keyId} is not here: refused are ${needs}`,
        'put it into SECRET_KEY_PREVIOUS if they are to live',
      ),
    );
  if (passwords)
    findings.push(
      fail(
        'passwords',
        `${passwords.count} users cannot log in: their passwords were hashed under another SECRET_KEY (${keyId})`,
        'put that key into SECRET_KEY_PREVIOUS, or give them new passwords with "keks user passwd"',
      ),
    );
  if (signing)
    findings.push(
      fail(
        'signing keys',
        `${signing.count} are encrypted under another SECRET_KEY (${keyId}): JWTs are 503 where one of them is to sign`,
        'put that key into SECRET_KEY_PREVIOUS, or, if it is lost, run "keks key rotate --compromised"',
      ),
    );
  if (receivers)
    findings.push(
      fail(
        'receivers',
        `${receivers.count} are told nothing: their authorization is encrypted under another SECRET_KEY (${keyId})`,
        'put that key into SECRET_KEY_PREVIOUS, or add them anew with "keks receiver add"',
      ),
    );
  return findings;
}
