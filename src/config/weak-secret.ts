/** 32 random bytes hold about thirty different values. */
const DIFFERENT_MIN = 8;
/** Placeholders that examples and templates have in place of a key. */
const PLACEHOLDER = /change.?me|change.?this|replace.?me|your.?secret|secret.?key|password|insecure|example/i;

/**
 * Whether a key was typed and not generated: zeros, a repetition, a staircase, words of a template. An attacker who guesses
 * the key can forge every MAC and open the private keys of a stolen database.
 */
export function isGuessable(text: string, key: Buffer): boolean {
  return (
    PLACEHOLDER.test(text) ||
    PLACEHOLDER.test(key.toString('latin1')) ||
    new Set(key).size < DIFFERENT_MIN ||
    isRepeated(key) ||
    isStaircase(key)
  );
}

/** The same again, four times at least. */
function isRepeated(key: Buffer): boolean {
  for (let period = 1; period <= key.length / 4; period += 1)
    if (key.every((byte, at) => byte === key[at % period])) return true;
  return false;
}

function isStaircase(key: Buffer): boolean {
  const step = ((key[1] ?? 0) - (key[0] ?? 0)) & 0xff;
  return key.every((byte, at) => at === 0 || ((byte - (key[at - 1] ?? 0)) & 0xff) === step);
}
