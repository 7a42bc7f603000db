/** A host of DATABASE_URL, or the directory of a socket. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * What a process has found out about the way to a database. All connections of one DATABASE_URL share it. Each process
 * finds it out anew.
 */
export class Way {
  /** Whether a connection may send settings at its start. Poolers refuse them, or take and ignore them. */
  startParameters = true;
  /** Whether a pooler gives one session to several connections, as far as is known. */
  pooled = false;
  /** Whether a statement that was prepared under a name is still there the next time. */
  names = true;
  private at = 0;

  /** @param places the hosts that may have the primary; none if there is one host, which the connection names itself */
  constructor(readonly places: readonly Place[] = []) {}

  /** The place where the primary was last, as far as is known. */
  get place(): Place | undefined {
    return this.places[this.at];
  }

  /**
   * The primary is not at this place: the next connection tries the next place. Several connections may report the same
   * place; only the first report counts.
   */
  leave(place: Place | undefined): void {
    if (place !== undefined && place === this.place) this.at = (this.at + 1) % this.places.length;
  }

  /** A pooler refused the start parameters. */
  sayNothingAtTheStart(): void {
    this.startParameters = false;
    this.pooled = true;
  }
}

/** The way of a connection; a new one for a connection that shares none, such as in a test. */
export function wayOf({ way }: { readonly way?: Way | undefined }): Way {
  return way ?? new Way();
}
