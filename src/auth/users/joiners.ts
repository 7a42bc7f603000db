import { domainToASCII } from 'node:url';

/** ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER: nobody sees them, but Persian and the scripts of India are written with them. */
const JOINERS = /[\u200c\u200d]/g;
/** With the letter before and the letter behind it, each with its marks. */
const IN_CONTEXT = /(?<=(\p{L}?\p{M}*))([\u200c\u200d])(?=(\p{M}*\p{L}?))/gu;

export function withoutJoiners(text: string): string {
  return text.replace(JOINERS, '');
}

/**
 * Whether each joiner stands where it changes how letters are written (RFC 8264 §9.8, RFC 5892 A.1 and A.2): behind a
 * virama, or between letters that join. That is asked of the tables that Node has for host names, where the rule is the same
 * (UTS #46, CheckJoiners); of these letters only, as a host name may not have all that a name may.
 */
export function hasProperJoiners(text: string): boolean {
  return [...text.matchAll(IN_CONTEXT)].every(
    ([, before = '', joiner = '', behind = '']) =>
      before !== '' && domainToASCII(before + joiner + behind) !== '',
  );
}
