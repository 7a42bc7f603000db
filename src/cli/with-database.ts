import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedRefusal } from '../database/embedded/embedded-postgres.js';
import { DatabaseRefusal } from '../database/database-refusal.js';
import { asUnavailable, sqlState } from '../database/postgres-error.js';
import { Unavailable } from '../http/errors/unavailable.js';
import { leaseDatabase, type Lease, type Place } from './database-lease.js';
import { clearingUp, interrupted } from './interruption.js';
import { Refusal } from './refusal.js';

const PATIENCE_MS = { embedded: 15_000, external: 3_000 };
const PAUSE_MS = 150;
/** Wrong password or role, no such database: waiting does not help. */
const HOPELESS = ['28', '3D'];

interface Closable {
  close(): Promise<void>;
}

/**
 * Finds the database or starts it, opens what the work needs, and leaves everything as it was found. If the server goes away
 * or comes up while `open` runs, it waits a little. Once `work` has begun, nothing is tried again, because nobody knows how
 * far it came.
 * @throws Refusal
 */
export function withDatabase<R extends Closable, T>(
  place: Place,
  open: (lease: Lease) => Promise<R>,
  work: (opened: R) => Promise<T>,
): Promise<T> {
  return clearingUp(async (interruption) => {
    const { lease, opened } = await enter(place, open, interruption);
    try {
      interruption.throwIfAborted();
      return await Promise.race([work(opened), interrupted(interruption)]);
    } catch (error) {
      throw explained(
        error,
        'The database went away meanwhile: look what has been done before you repeat it',
      );
    } finally {
      await opened.close().catch(() => undefined);
      await lease.release();
    }
  });
}

async function enter<R>(
  place: Place,
  open: (lease: Lease) => Promise<R>,
  interruption: AbortSignal,
): Promise<{ lease: Lease; opened: R }> {
  const patience = place.DATABASE_URL === undefined ? PATIENCE_MS.embedded : PATIENCE_MS.external;
  const deadline = Date.now() + patience;
  for (;;) {
    const failure = await tryOnce(place, open);
    if (!(failure instanceof Error)) return failure;
    if (isFinal(failure) || Date.now() > deadline) throw explained(failure, UNREACHABLE);
    await sleep(PAUSE_MS, undefined, { signal: interruption });
  }
}

const UNREACHABLE =
  'The database does not answer: check DATABASE_URL, and whether PostgreSQL runs there and is not just starting';

async function tryOnce<R>(
  place: Place,
  open: (lease: Lease) => Promise<R>,
): Promise<{ lease: Lease; opened: R } | Error> {
  let lease: Lease | undefined;
  try {
    lease = await leaseDatabase(place);
    if (!lease) return new Unavailable('the server that was found is about to stop');
    return { lease, opened: await open(lease) };
  } catch (error) {
    await lease?.release();
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isFinal(error: Error): boolean {
  if (error instanceof Unavailable && error.cause instanceof Error) return isFinal(error.cause);
  if (error instanceof DatabaseRefusal) return true;
  if (HOPELESS.includes(sqlState(error)?.slice(0, 2) ?? '')) return true;
  return !(asUnavailable(error) instanceof Unavailable);
}

function explained(error: unknown, whenAway: string): unknown {
  if (error instanceof EmbeddedRefusal || error instanceof DatabaseRefusal)
    return new Refusal('temporarily_unavailable', error.message);
  const unavailable = asUnavailable(error);
  if (!(unavailable instanceof Unavailable)) return error;
  return new Refusal('temporarily_unavailable', `${whenAway} (${reason(unavailable)}).`, { cause: error });
}

/** The system's or PostgreSQL's own words; the URL with its password is not in them. */
function reason({ message, cause }: Unavailable): string {
  if (!(cause instanceof Error)) return message;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return cause.message || code;
}
