import fc from 'fast-check';

const SURROGATES = { from: 0xd800, count: 0x800 };

/**
 * Any characters of Unicode, which are few letters and much else. As `fc.string({ unit: 'binary' })`, without its table of all of
 * them, which costs seconds.
 */
export function anyText(length: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> {
  const character = fc
    .nat({ max: 0x10ffff - SURROGATES.count })
    .map((nth) => String.fromCodePoint(nth < SURROGATES.from ? nth : nth + SURROGATES.count));
  return fc.array(character, length).map((characters) => characters.join(''));
}
