/**
 * Longer names are ignored, and so are all names after the first 32: no name of ours is longer, and no body of ours has
 * more.
 */
const LONGEST = 40;
const MOST = 32;
/** Pieces shorter than this occur in too many words. */
const PIECE = 3;

/** Whether one of the sent names may have been meant as this name: `userName`, `username` or `usr` for `user`. */
export function isResembled(name: string, sent: readonly string[]): boolean {
  const wanted = plain(name);
  return sent
    .slice(0, MOST)
    .filter((one) => one.length <= LONGEST)
    .some((one) => resembles(wanted, plain(one)));
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
}

function resembles(wanted: string, sent: string): boolean {
  const [shorter, longer] = wanted.length < sent.length ? [wanted, sent] : [sent, wanted];
  if (shorter.length < 2) return false;
  if (shorter.length < PIECE) return distance(shorter, longer) <= 1;
  return longer.includes(shorter) || distance(shorter, longer) <= (wanted.length < 6 ? 1 : 2);
}

/** The Levenshtein distance: the number of letters to insert, remove or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let down = 1; down <= from.length; down += 1) {
    const next = [down];
    for (let right = 1; right <= to.length; right += 1) {
      const changed = (row[right - 1] ?? 0) + (from[down - 1] === to[right - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[right] ?? 0) + 1, (next[right - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
