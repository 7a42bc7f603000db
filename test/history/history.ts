/** What was asked, and what came back. Times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly kind:
    'issue' | 'validate' | 'revoke' | 'refresh' | 'login' | 'end' | 'own login' | 'key' | 'password';
  /** Which server was asked. */
  readonly server: number;
  /** The token in question; for what makes tokens, the one that was presented, if any. */
  readonly token: string | undefined;
  /** All that ends with it. */
  readonly tokens?: readonly string[];
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
  end: [204, 503],
  refresh: [200, 400, 503],
  // of one whose password is being changed
  'own login': [200, 401, 503],
  key: [201, 401, 503],
  password: [204, 401, 503],
};

/**
 * Holds a history against the promises while it is being made, and keeps only what it needs for that:
 *
 * - a token whose revoke, or the end of all of its owner's, was acknowledged is never accepted for a request that starts afterwards;
 * - a token that was acknowledged, and that nobody has tried to revoke, is never refused;
 * - a refresh token has one successor, whoever asks and however often;
 * - a key made with an old password is dead once the new one is there (./keys.ts);
 * - a fault is 503 and nothing else.
 */
export class Ledger {
  readonly violations: Violation[] = [];
  /** How often each outcome came, by `kind status`. */
  readonly outcomes = new Map<string, number>();
  private readonly made = new Map<string, Operation>();
  private readonly revokeBegun = new Map<string, number>();
  private readonly revokeDone = new Map<string, Operation>();
  private readonly successors = new Map<string, Operation>();

  /** A revoke has been sent: from now on its token may be dead. */
  begin(token: string, at: number): void {
    if (at < (this.revokeBegun.get(token) ?? Infinity)) this.revokeBegun.set(token, at);
  }

  /** In the order in which operations were completed. */
  note(operation: Operation): void {
    const { kind, status } = operation;
    const outcome = `${kind} ${status ?? 'no answer'}`;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (operation.made) this.made.set(operation.made.access, operation);
    if (status !== undefined && !ALLOWED[kind].includes(status))
      this.violations.push({ rule: 'a fault is 503 and nothing else', operation });
    if (kind === 'revoke' && status === 200) this.noteEnd(operation, operation.token);
    if (kind === 'end' && status === 204)
      for (const token of operation.tokens ?? []) this.noteEnd(operation, token);
    if (kind === 'validate') this.judgeVerdict(operation);
    if (kind === 'refresh') this.judgeSuccessor(operation);
  }

  count(kind: Operation['kind'], status: number): number {
    return this.outcomes.get(`${kind} ${status}`) ?? 0;
  }

  /** Tokens taken and tokens refused: a fault is no verdict. */
  get verdicts(): number {
    return this.count('validate', 200) + this.count('validate', 401);
  }

  get operations(): number {
    let sum = 0;
    for (const count of this.outcomes.values()) sum += count;
    return sum;
  }

  private noteEnd(operation: Operation, token: string | undefined): void {
    const { completed = 0 } = operation;
    if (token === undefined) return;
    const known = this.revokeDone.get(token);
    if (!known || completed < (known.completed ?? 0)) this.revokeDone.set(token, operation);
  }

  private judgeVerdict(operation: Operation): void {
    const { token, status, invoked, completed = 0 } = operation;
    if (token === undefined) return;
    const done = this.revokeDone.get(token);
    if (status === 200 && done && invoked > (done.completed ?? Infinity))
      this.violations.push({ rule: 'a revoked token is dead everywhere', operation, because: done });
    const untouched = (this.revokeBegun.get(token) ?? Infinity) > completed;
    const issued = this.made.get(token);
    if (status === 401 && untouched && issued && invoked > (issued.completed ?? Infinity))
      this.violations.push({ rule: 'an acknowledged token is not lost', operation, because: issued });
  }

  private judgeSuccessor(operation: Operation): void {
    const { token, made } = operation;
    if (token === undefined || !made?.refresh) return;
    const first = this.successors.get(token);
    if (!first) this.successors.set(token, operation);
    else if (first.made?.refresh !== made.refresh)
      this.violations.push({ rule: 'a refresh token has one successor', operation, because: first });
  }
}
