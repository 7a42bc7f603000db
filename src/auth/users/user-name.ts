import { hasProperJoiners, withoutJoiners } from './joiners.js';

/** A user's name as it is shown, and as it is compared: NFKC, case-folded, and without joiners, because nobody sees those. */
export interface UserName {
  readonly name: string;
  readonly folded: string;
}

/** @returns undefined for what can be nobody's name: empty, over 128 characters, with control characters or stray joiners */
export function userName(text: string): UserName | undefined {
  if (text.length > 1_024 || !text.isWellFormed()) return undefined;
  const name = text.normalize('NFKC');
  const length = [...name].length;
  const visible = withoutJoiners(name);
  if (length < 1 || length > 128 || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(visible) || name.trim() !== name)
    return undefined;
  if (visible !== name && !hasProperJoiners(name)) return undefined;
  // lower, upper, lower: names that differ only by case become equal, also with a sharp s or a final sigma
  const folded = visible.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
  return { name, folded };
}
