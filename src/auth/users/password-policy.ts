import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { withoutKeyboardWalks } from './easy-to-type.js';
import { withoutJoiners } from './joiners.js';
import { PASSWORD_STRENGTH } from './password-strength.js';
import { WELL_KNOWN_PHRASES } from './well-known-phrases.js';

/** More than this is refused before any work is done on it. */
export const PASSWORD_MAX_BYTES = 1_024;
/** zxcvbn's scale: below 10^10 guesses is too weak for a secret that people choose themselves. */
const SCORE_MIN = 4;
/** So many characters must be left when those words are taken away. */
const REST_MIN = 8;
const OUR_WORDS = ['keks', 'keksdose', 'cookie', 'cookies', 'cookiefactory', 'cookiedestroyer', 'lecker'];

export type PasswordFlaw = 'ill_formed' | 'too_short' | 'too_long' | 'too_common';

export const PASSWORD_FLAWS: Record<PasswordFlaw, string> = {
  ill_formed: 'The password is not well-formed Unicode, or has a NUL in it.',
  too_short: 'The password is too short: see PASSWORD_MIN_LENGTH.',
  too_long: 'The password is longer than 1,024 bytes.',
  too_common: 'The password is among the first that an attacker would try: choose another one.',
};

/** What a new password must be (NIST SP 800-63B-4 §3.1.1.2): long and not guessable; of no particular composition. */
@Injectable()
export class PasswordPolicy {
  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'PASSWORD_MIN_LENGTH'>) {}

  /** Flaws that need no estimate. @param about words an attacker would try first: the user's name */
  plainFlawOf(password: string, about: readonly string[]): PasswordFlaw | undefined {
    if (!isText(password)) return 'ill_formed';
    if (Buffer.byteLength(password) > PASSWORD_MAX_BYTES) return 'too_long';
    if ([...password].length < this.config.PASSWORD_MIN_LENGTH) return 'too_short';
    const common =
      isRepeat(password) ||
      isMadeOf([...about, ...OUR_WORDS], password) ||
      isWalk(password) ||
      isPhrase(password);
    return common ? 'too_common' : undefined;
  }

  /** Whether an estimate finds the password too easy to guess: work for the login lane. @throws Unavailable */
  async isGuessable(password: string, about: readonly string[]): Promise<boolean> {
    return (await PASSWORD_STRENGTH.score(password, [...about, ...OUR_WORDS])) < SCORE_MIN;
  }
}

/** HTTP carries nothing else: a password that fails this could be set, but never be sent. */
function isText(password: string): boolean {
  return password.isWellFormed() && !password.includes('\0');
}

const SEPARATORS = /[\p{P}\p{S}\p{Z}]+/gu;

/** One piece repeated, whatever stands between. */
function isRepeat(password: string): boolean {
  return /^(.+?)\1+$/su.test(password.replace(SEPARATORS, '').toLowerCase());
}

/** Little more than words that an attacker knows belong to this user or to us. */
function isMadeOf(words: readonly string[], password: string): boolean {
  const plain = withoutJoiners(password.toLowerCase());
  let rest = plain;
  for (const word of [...words].sort((a, b) => b.length - a.length))
    rest = rest.replaceAll(withoutJoiners(word.toLowerCase()), '');
  return isLittleOf(plain, rest);
}

/** Little more than fingers that went along the keyboard. */
function isWalk(password: string): boolean {
  return isLittleOf(password, withoutKeyboardWalks(password));
}

/** Whether words were taken away and too little is left. */
function isLittleOf(whole: string, rest: string): boolean {
  return rest !== whole && [...rest.replace(SEPARATORS, '')].length < REST_MIN;
}

/** What people write for letters. */
const WRITTEN_FOR: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** Little more than a phrase that everybody knows, however it is spelled. */
function isPhrase(password: string): boolean {
  const plain = bare(password);
  const spelledOut = bare(password.replace(/[0134570@$!]/g, (sign) => WRITTEN_FOR[sign] ?? sign));
  return [plain, spelledOut].some((text) => isMadeOf(WELL_KNOWN_PHRASES, text));
}

function bare(text: string): string {
  return text.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '').replace(SEPARATORS, '');
}
