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
