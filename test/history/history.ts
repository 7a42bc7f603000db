/** What was asked, and what came back. Times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly kind: 'issue' | 'validate' | 'revoke' | 'refresh' | 'login';
  /** Which server was asked. */
  readonly server: number;
  /** The token in question; for what makes tokens, the one that was presented, if any. */
  readonly token: string | undefined;
  readonly invoked: number;
  /** undefined if no answer came: it may or may not have happened. */
  readonly completed: number | undefined;
  readonly status: number | undefined;
  readonly made?: { readonly access: string; readonly refresh?: string } | undefined;
}

export interface Violation {
  readonly rule: string;
  readonly operation: Operation;
  readonly because?: Operation | undefined;
}

const ALLOWED: Record<Operation['kind'], readonly number[]> = {
  issue: [200, 503],
  login: [200, 503],
  validate: [200, 401, 503],
  revoke: [200, 503],
  refresh: [200, 400, 503],
};

/**
 * Holds a whole history against the promises:
 *
 * - a token whose revoke was acknowledged is never accepted for a request that starts afterwards;
 * - a token that was acknowledged, and that nobody has tried to revoke, is never refused;
 * - a refresh token has one successor, whoever asks and however often;
 * - a fault is 503 and nothing else.
 */
export function violations(history: readonly Operation[]): Violation[] {
  return [...unexpectedStatuses(history), ...wrongVerdicts(history), ...forkedLineages(history)];
}

function unexpectedStatuses(history: readonly Operation[]): Violation[] {
  return history
    .filter(({ kind, status }) => status !== undefined && !ALLOWED[kind].includes(status))
    .map((operation) => ({ rule: 'a fault is 503 and nothing else', operation }));
}

function wrongVerdicts(history: readonly Operation[]): Violation[] {
  const made = new Map<string, Operation>();
  const firstRevokeInvoked = new Map<string, Operation>();
  const firstRevokeDone = new Map<string, Operation>();
  for (const operation of history) {
    if (operation.made) made.set(operation.made.access, operation);
    if (operation.kind !== 'revoke' || operation.token === undefined) continue;
    keepEarliest(firstRevokeInvoked, operation.token, operation, (one) => one.invoked);
    if (operation.status === 200)
      keepEarliest(firstRevokeDone, operation.token, operation, (one) => one.completed ?? 0);
  }
  const found: Violation[] = [];
  for (const operation of history) {
    if (operation.kind !== 'validate' || operation.token === undefined) continue;
    const done = firstRevokeDone.get(operation.token);
    const begun = firstRevokeInvoked.get(operation.token);
    if (operation.status === 200 && done && operation.invoked > (done.completed ?? Infinity))
      found.push({ rule: 'a revoked token is dead everywhere', operation, because: done });
    const untouched = !begun || begun.invoked > (operation.completed ?? 0);
    const issued = made.get(operation.token);
    if (operation.status === 401 && untouched && issued && operation.invoked > (issued.completed ?? Infinity))
      found.push({ rule: 'an acknowledged token is not lost', operation, because: issued });
  }
  return found;
}

function forkedLineages(history: readonly Operation[]): Violation[] {
  const successors = new Map<string, Operation>();
  const found: Violation[] = [];
  for (const operation of history) {
    if (operation.kind !== 'refresh' || operation.token === undefined || !operation.made?.refresh) continue;
    const first = successors.get(operation.token);
    if (!first) successors.set(operation.token, operation);
    else if (first.made?.refresh !== operation.made.refresh)
      found.push({ rule: 'a refresh token has one successor', operation, because: first });
  }
  return found;
}

function keepEarliest(
  map: Map<string, Operation>,
  key: string,
  operation: Operation,
  time: (operation: Operation) => number,
): void {
  const known = map.get(key);
  if (!known || time(operation) < time(known)) map.set(key, operation);
}
