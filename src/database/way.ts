/** A host of DATABASE_URL, or the directory of a socket. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * What has been found out of the way to a database: all connections of one DATABASE_URL share it, and it is asked for
 * anew in each process.
 */
export class Way {
  /** Whether settings may be said at the start of a connection. Poolers refuse them, or take them and do nothing. */
  startParameters = true;
  /** Whether somebody is in between who gives one session to several connections, so far as is known. */
  pooled = false;
  /** Whether a statement that was prepared under a name is there the next time. */
  names = true;
  private at = 0;

  /** @param places where the primary may be; none if there is one host, which the connection names itself */
  constructor(readonly places: readonly Place[] = []) {}

  /** Where the primary was last, so far as is known. */
  get place(): Place | undefined {
    return this.places[this.at];
  }

  /** It is not there: whoever comes next asks the next one. Many may have been there at once. */
  leave(place: Place | undefined): void {
    if (place !== undefined && place === this.place) this.at = (this.at + 1) % this.places.length;
  }

  /** A pooler refused what was said at the start. */
  sayNothingAtTheStart(): void {
    this.startParameters = false;
    this.pooled = true;
  }
}

/** Of those who are nobody's neighbours, such as a test's own. */
export function wayOf({ way }: { readonly way?: Way | undefined }): Way {
  return way ?? new Way();
}
