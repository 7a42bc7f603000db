/** Each place has three numbers: two parts of an id, and the second in which it came. A free place has second 0. */
const FIELDS = 3;
const [FIRST, SECOND, AT] = [0, 1, 2];
const SMALLEST = 2 ** 12;
/** Places. They take 3 MB, for about 200,000 ids. */
const LARGEST = 2 ** 18;
/** The largest share of places that may be in use. */
const LOAD = 0.75;
/** Where two groups of eight random digits begin in a UUID: at its start, and after the last dash. */
const [FIRST_DIGITS, SECOND_DIGITS] = [0, 24];

/**
 * Remembers which random UUIDs came in the last seconds. Each validation asks it, so it stores 64 bits of each id and
 * no strings. It mistakes a new id for a known one with a chance of about 1 in 10^14. The answer is only a hint.
 */
export class RecentUse {
  private places = new Uint32Array(SMALLEST * FIELDS);
  private size = 0;

  /** @param seconds until an id counts as new again */
  constructor(private readonly seconds: number) {}

  /** Whether the id is new. If so, it is known for the next `seconds`. @param now whole seconds since the epoch */
  isNew(id: string, now: number): boolean {
    if (this.size >= (this.places.length / FIELDS) * LOAD) this.makeRoom(now);
    return this.put(digits(id, FIRST_DIGITS), digits(id, SECOND_DIGITS), now, now);
  }

  private put(first: number, second: number, at: number, now: number): boolean {
    const { places } = this;
    const mask = places.length / FIELDS - 1;
    for (let place = first & mask; ; place = (place + 1) & mask) {
      const from = place * FIELDS;
      const before = places[from + AT] ?? 0;
      if (before !== 0 && (places[from + FIRST] !== first || places[from + SECOND] !== second)) continue;
      if (this.isRecent(before, now)) return false;
      if (before === 0) this.size += 1;
      places[from + FIRST] = first;
      places[from + SECOND] = second;
      places[from + AT] = at;
      return true;
    }
  }

  /** If the clock was set back, every id is new. */
  private isRecent(at: number, now: number): boolean {
    return at <= now && now - at < this.seconds;
  }

  /** Drops ids that are not recent. If that frees too few places, doubles them; at the largest size, starts empty. */
  private makeRoom(now: number): void {
    const all = this.places;
    const recent: number[] = [];
    for (let from = 0; from < all.length; from += FIELDS)
      if (this.isRecent(all[from + AT] ?? 0, now)) recent.push(from);
    const count = all.length / FIELDS;
    const enough = recent.length < (count * LOAD) / 2;
    this.places = new Uint32Array((enough ? count : Math.min(count * 2, LARGEST)) * FIELDS);
    this.size = 0;
    if (!enough && count === LARGEST) return;
    for (const from of recent)
      this.put(all[from + FIRST] ?? 0, all[from + SECOND] ?? 0, all[from + AT] ?? 0, now);
  }
}

/** The number that eight lower-case hexadecimal digits spell, read without making a string. */
function digits(id: string, start: number): number {
  let value = 0;
  for (let at = start; at < start + 8; at += 1) {
    const code = id.charCodeAt(at);
    value = (value << 4) | (code - (code < 97 ? 48 : 87));
  }
  return value >>> 0;
}
