import { Lineage } from './lineage.js';
import { ALLOWED, ENDED, type Kind, type Made, type Operation, type Proof } from './operation.js';

export interface Violation {
  readonly rule: string;
  readonly operation: Operation;
  readonly because?: Operation | undefined;
}

export const DEAD = 'a revoked token is dead everywhere';
export const LOST = 'an acknowledged token is not lost';
export const ONE_SUCCESSOR = 'a refresh token has one successor';
export const ONE_USE = 'a code gives tokens once';
export const GIVES_NOTHING = 'what has ended gives no tokens';
export const KEY_NEEDED = 'a bound token opens nothing without its key';
export const PROOF_ONCE = 'a proof counts once';
const FAULT = 'a fault is 503 and nothing else';

/**
 * So long after it was first shown none can be refused for its age: a refresh token that comes again later than
 * REFRESH_GRACE_PERIOD is taken for stolen, and a code lives for a minute.
 */
const YOUNG_MS = { refresh: 240_000, code: 30_000 };

/**
 * Holds a history against the promises while it is being made, and keeps only what it needs for that:
 *
 * - a token whose revoke, or the end of what it came of, was acknowledged is never accepted for a request that starts afterwards;
 *   a code that was used twice, a refresh token that was stolen and a consent that was withdrawn are such ends;
 * - what has ended gives no tokens: neither a code nor a refresh token;
 * - a token that was acknowledged, and that nobody has tried to end, is never refused;
 * - what was made from a token dies with it, and with all that that one dies with;
 * - a code gives tokens once, and a refresh token has one successor, whoever asks and however often;
 * - what is bound to a key opens nothing and gives nothing without that key, and a proof counts once (./bound.ts);
 * - a key made with an old password is dead once the new one is there (./keys.ts);
 * - a fault is 503 and nothing else.
 */
export class Ledger {
  readonly violations: Violation[] = [];
  /** How often each outcome came, by `kind status`. */
  readonly outcomes = new Map<string, number>();
  readonly lineage = new Lineage();
  private readonly made = new Map<string, Operation>();
  private readonly shown = new Map<string, number>();
  private readonly successors = new Map<string, Operation>();

  /** Its end has been asked for: from now on it may be dead. */
  begin(token: string, at: number): void {
    this.lineage.begin(token, at);
  }

  /** A code is shown: the second time may end all that the first one got. */
  show(code: string, at: number): void {
    if (this.shown.has(code)) this.begin(code, at);
    else this.shown.set(code, at);
  }

  /** In the order in which operations were completed. */
  note(operation: Operation): void {
    const { kind, status, token, made } = operation;
    const outcome = `${kind} ${status ?? 'no answer'}`;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    const allowed: readonly number[] = ALLOWED[kind];
    if (status !== undefined && !allowed.includes(status)) this.accuse(FAULT, operation);
    if (kind === 'validate') this.judgeVerdict(operation);
    if (kind === 'refresh' || kind === 'code') this.judgeRefusal(operation, YOUNG_MS[kind]);
    if (kind === 'exchange') this.judgeExchange(operation);
    if (made && token !== undefined) this.judgeGain(operation, token, made);
    if (made) this.noteMade(operation, made);
    if (status !== undefined && ENDED[kind]?.includes(status))
      for (const one of [token ?? [], operation.tokens ?? []].flat()) this.lineage.end(one, operation);
    // shown with the right key: it was used before, and if it was not stolen, then it had ended
    if ((kind === 'code' || kind === 'refresh') && isRefused(operation) && token !== undefined)
      this.lineage.end(token, operation);
  }

  accuse(rule: string, operation: Operation, because?: Operation): void {
    this.violations.push({ rule, operation, because });
  }

  count(kind: Kind, status: number): number {
    return this.outcomes.get(`${kind} ${status}`) ?? 0;
  }

  /** Tokens taken and tokens refused: a fault is no verdict. */
  get verdicts(): number {
    return this.count('validate', 200) + this.count('validate', 401);
  }

  /** Access tokens that nobody may accept any more; of those that are bound, none. */
  get buried(): string[] {
    return [...this.made].flatMap(([token, { made }]) =>
      made?.bound === false && this.lineage.endBefore(token, Infinity) ? [token] : [],
    );
  }

  get operations(): number {
    let sum = 0;
    for (const count of this.outcomes.values()) sum += count;
    return sum;
  }

  private noteMade(operation: Operation, made: Made): void {
    const { token = made.refresh ?? made.access, proof } = operation;
    this.made.set(made.access, operation);
    this.lineage.add(made.access, token);
    if (made.refresh !== undefined) this.lineage.add(made.refresh, token);
    if (operation.kind === 'exchange') this.lineage.addMadeFrom(made.access, token);
    if (proof === 'own' && !made.bound) this.accuse(KEY_NEEDED, operation);
  }

  private judgeVerdict(operation: Operation): void {
    const { token, status, invoked, completed = 0, proof } = operation;
    if (token === undefined) return;
    const because = this.lineage.endBefore(token, invoked);
    if (status === 200 && because) this.accuse(DEAD, operation, because);
    if (status === 200 && isForeign(proof)) this.accuse(KEY_NEEDED, operation);
    const untouched = this.lineage.begunAt(token) > completed;
    const issued = this.made.get(token);
    const late = issued !== undefined && invoked > (issued.completed ?? Infinity);
    if (status === 401 && isRight(proof) && untouched && late) this.accuse(LOST, operation, issued);
  }

  /** A lost answer to a refresh may be asked for again, as long as it is not too late for that. */
  private judgeRefusal(operation: Operation, youngMs: number): void {
    const { token, invoked, completed = 0 } = operation;
    if (token === undefined || !isRight(operation.proof)) return;
    const first = this.shown.get(token) ?? invoked;
    this.shown.set(token, first);
    const untouched = this.lineage.begunAt(token) > completed && completed - first < youngMs;
    if (isRefused(operation) && untouched) this.accuse(LOST, operation);
  }

  /** What nobody has tried to end can be exchanged. */
  private judgeExchange(operation: Operation): void {
    const { token = '', status, completed = 0 } = operation;
    const isUntouched = this.lineage.begunAt(token) > completed;
    if (status === 400 && isUntouched) this.accuse(LOST, operation, this.made.get(token));
  }

  /** Tokens came for a code, for a refresh token or for another token. */
  private judgeGain(operation: Operation, token: string, made: Made): void {
    const { kind, invoked, proof } = operation;
    if (isForeign(proof)) this.accuse(KEY_NEEDED, operation);
    const because = this.lineage.endBefore(token, invoked);
    if (because) this.accuse(GIVES_NOTHING, operation, because);
    // as often as its client likes
    if (kind === 'exchange') return;
    const first = this.successors.get(token);
    if (!first) this.successors.set(token, operation);
    else if (kind !== 'refresh') this.accuse(ONE_USE, operation, first);
    else if (first.made?.refresh !== made.refresh) this.accuse(ONE_SUCCESSOR, operation, first);
  }
}

const isForeign = (proof: Proof | undefined): boolean => proof === 'other' || proof === 'none';

/** A proof that was overheard may have been used: who is refused with it has lost nothing. */
const isRight = (proof: Proof | undefined): boolean => proof === undefined || proof === 'own';

const isRefused = ({ status, error, proof }: Operation): boolean =>
  status === 400 && error === 'invalid_grant' && isRight(proof);
