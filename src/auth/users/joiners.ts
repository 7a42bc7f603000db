import { domainToASCII } from 'node:url';

/** ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER: nobody sees them, but Persian and the scripts of India are written with them. */
const JOINERS = /[\u200c\u200d]/g;
/** With the letter before and the letter behind it, each with its marks. */
const IN_CONTEXT = /(?<=(\p{L}?\p{M}*))([\u200c\u200d])(?=(\p{M}*\p{L}?))/gu;

export function withoutJoiners(text: string): string {
  return text.replace(JOINERS, '');
}

/**
 * Whether each joiner stands where it changes how letters are written (RFC 8264 §9.8, RFC 5892 A.1 and A.2): behind a virama,
 * or between letters that join. Node's tables for host names know this, because the rule is the same there (UTS #46,
 * CheckJoiners). Only these letters are looked up, because a host name may not contain everything that a user name may.
 */
export function hasProperJoiners(text: string): boolean {
  return [...text.matchAll(IN_CONTEXT)].every(
    ([, before = '', joiner = '', behind = '']) =>
      before !== '' && domainToASCII(before + joiner + behind) !== '',
  );
}
