/**
 * Milliseconds between two lines about the same pair; below, the most pairs in that time, and the most characters of an audience.
 */
const WHILE_MS = 3_600_000;
const MOST = 100;
const LONGEST = 200;

/** A token that is good, but refused because it is for another API: whom it is for, and where it came. */
export interface Misaddressed {
  readonly tokenFor: readonly string[];
  readonly cameTo: string;
}

/**
 * Writes once an hour for each pair that a good token for one API came to another API. The caller learns only that the token is
 * not valid here, but the operator of the API has to learn why. It never writes the token.
 */
export class MisaddressedTokens {
  /** When each pair was written, the oldest first. */
  private readonly said = new Map<string, number>();

  /** @param now milliseconds of a clock that is never set back */
  constructor(
    private readonly write: (line: string) => unknown,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param whose in brackets: to whom `cameTo` belongs */
  note(tokenFor: readonly string[], cameTo: readonly string[], whose = ''): void {
    const key = JSON.stringify([tokenFor, cameTo, whose]);
    if (!this.isFirst(key)) return;
    const sameAgain = tokenFor.some((one) => cameTo.some((other) => isSamePlace(one, other)));
    this.write(
      `a good token for ${list(tokenFor)} came to ${list(cameTo)}${whose} and was refused: ${
        sameAgain
          ? 'this is one address, spelled in two ways, and audiences are compared letter by letter'
          : 'the caller needs a token for this API, or this API has the wrong audience'
      }`,
    );
  }

  private isFirst(key: string): boolean {
    const now = this.now();
    for (const [old, at] of this.said) {
      if (now - at < WHILE_MS) break;
      this.said.delete(old);
    }
    if (this.said.has(key) || this.said.size >= MOST) return false;
    this.said.set(key, now);
    return true;
  }
}

/**
 * Whether people take both for one address: `localhost` and `127.0.0.1`, with and without the slash at the end, `http` and
 * `https`.
 */
export function isSamePlace(one: string, other: string): boolean {
  return one === other || (URL.canParse(one) && URL.canParse(other) && placeOf(one) === placeOf(other));
}

function placeOf(text: string): string {
  const { hostname, port, pathname, search } = new URL(text);
  const host = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/.test(hostname) ? 'loopback' : hostname;
  return `${host}:${port}${pathname.replace(/\/$/, '')}${search}`;
}

function list(audiences: readonly string[]): string {
  if (audiences.length === 0) return 'an API without an audience';
  return audiences.map((one) => JSON.stringify(one.slice(0, LONGEST))).join(', ');
}
