/** Rows of keys as they lie (US and German), each key with what Shift makes of it. */
const LAYOUTS: readonly (readonly [plain: string, shifted: string])[][] = [
  [
    ['`1234567890-=', '~!@#$%^&*()_+'],
    [' qwertyuiop[]', ' QWERTYUIOP{}'],
    [" asdfghjkl;'", ' ASDFGHJKL:"'],
    [' zxcvbnm,./', ' ZXCVBNM<>?'],
  ],
  [
    ['^1234567890ß', '°!"§$%&/()=?'],
    [' qwertzuiopü+', ' QWERTZUIOPÜ*'],
    [' asdfghjklöä#', " ASDFGHJKLÖÄ'"],
    [' yxcvbnm,.-', ' YXCVBNM;:_'],
  ],
];
/** This many keys in one straight line are no accident. */
const LINE_MIN = 4;
/** This many keys in a zigzag of two steps are none either: 1q2w3e. */
const ZIGZAG_MIN = 6;

type Key = readonly [row: number, column: number];

const KEYBOARDS: readonly ReadonlyMap<string, Key>[] = LAYOUTS.map(
  (rows) =>
    new Map(
      rows.flatMap(([plain, shifted], row) =>
        [plain, shifted].flatMap((keys) =>
          [...keys].flatMap((key, column) => (key === ' ' ? [] : [[key, [row, column]] as const])),
        ),
      ),
    ),
);

/** The text without its lines and zigzags of neighbouring keys, with and without Shift. */
export function withoutKeyboardWalks(text: string): string {
  const rests = KEYBOARDS.map((keyboard) => restOf([...text], keyboard));
  return rests.reduce((shortest, rest) => (rest.length < shortest.length ? rest : shortest));
}

function restOf(characters: readonly string[], keyboard: ReadonlyMap<string, Key>): string {
  let rest = '';
  for (let from = 0; from < characters.length;) {
    const { line, zigzag } = walkFrom(characters, from, keyboard);
    const walked = zigzag >= ZIGZAG_MIN ? zigzag : line >= LINE_MIN ? line : 0;
    if (walked === 0) rest += characters[from];
    from += walked || 1;
  }
  return rest;
}

/** How many characters from here on lie in one straight line on the keyboard, and how many in two steps by turns. */
function walkFrom(
  characters: readonly string[],
  from: number,
  keyboard: ReadonlyMap<string, Key>,
): { line: number; zigzag: number } {
  const steps: string[] = [];
  let line = 1;
  for (let at = from + 1; at < characters.length; at++) {
    const step = stepOf(keyboard.get(characters[at - 1] ?? ''), keyboard.get(characters[at] ?? ''));
    if (step === undefined || (steps.length >= 2 && step !== steps.at(-2))) break;
    if (line === steps.length + 1 && step === (steps[0] ?? step)) line++;
    steps.push(step);
  }
  return { line, zigzag: steps.length + 1 };
}

/** From a key to one that touches it: in which direction. */
function stepOf(one: Key | undefined, next: Key | undefined): string | undefined {
  if (!one || !next) return undefined;
  const [down, right] = [next[0] - one[0], next[1] - one[1]];
  const touches = Math.abs(down) <= 1 && Math.abs(right) <= 1 && (down !== 0 || right !== 0);
  return touches ? `${down},${right}` : undefined;
}
