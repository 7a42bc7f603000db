import { randomBytes } from 'node:crypto';

/** 32 of them, so a byte chooses without bias. None looks like another one: no l and 1, no o and 0. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUP = 5;
/** 150 bits. */
const GROUPS_LEAST = 6;

/** A password that nobody can guess and that can be read out: groups of letters and digits. */
export function generatePassword(minLength: number): string {
  const groups = Math.max(GROUPS_LEAST, Math.ceil((minLength + 1) / (GROUP + 1)));
  return Array.from({ length: groups }, () =>
    Array.from(randomBytes(GROUP), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join(''),
  ).join('-');
}
