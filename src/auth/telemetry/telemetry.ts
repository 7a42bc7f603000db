import { Injectable } from '@nestjs/common';
import type { RefusalReason } from 'keks-guard';

/** The result of a question about a token. `unavailable`: no verdict, because the database did not answer. */
export type Verdict = 'active' | 'unavailable' | Exclude<RefusalReason, 'inactive'>;
/** How a token is spelled. */
type Format = 'opaque' | 'jwt';
/** How a token was issued. */
export type IssueKind = 'login' | 'client' | 'api_key' | 'code' | 'device' | 'refresh' | 'exchange';
export type LoginRefusal = 'credentials' | 'throttled';
/** `replayed` is a retry within the grace period, `theft` any other use of a used refresh token. */
export type RefreshOutcome = 'rotated' | 'replayed' | 'theft';
/** What was revoked: a single token, or a grant with all of its tokens. */
export type Revoked = 'access_token' | 'grant';
export type BatchName =
  'access_token' | 'api_key' | 'introspection' | 'client_secret' | 'client_token' | 'refresh_token';

/** A histogram in plain numbers: to note a value costs no more than to find its bucket. */
export class Distribution {
  /** One count for each bound, and one for values beyond the last bound. Not cumulative. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds the upper bounds of the buckets, inclusive, ascending */
  constructor(readonly bounds: readonly number[]) {
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  note(value: number): void {
    let at = 0;
    while (value > (this.bounds[at] ?? Infinity)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }
}

const sizes = (): Distribution => new Distribution([1, 2, 4, 8, 16, 32, 64, 128]);

/**
 * The authority's own counts since the start of this process. They are plain numbers, so a validation costs one
 * addition and nothing else. Every key is from a closed set.
 */
@Injectable()
export class Telemetry {
  readonly validations: Record<Verdict, number> = {
    active: 0,
    malformed: 0,
    forged: 0,
    expired: 0,
    unknown: 0,
    revoked: 0,
    grant_revoked: 0,
    grant_expired: 0,
    wrong_kind: 0,
    wrong_audience: 0,
    unavailable: 0,
  };
  readonly issues: Record<IssueKind, Record<Format, number>> = {
    login: { opaque: 0, jwt: 0 },
    client: { opaque: 0, jwt: 0 },
    api_key: { opaque: 0, jwt: 0 },
    code: { opaque: 0, jwt: 0 },
    device: { opaque: 0, jwt: 0 },
    refresh: { opaque: 0, jwt: 0 },
    exchange: { opaque: 0, jwt: 0 },
  };
  readonly refusedLogins: Record<LoginRefusal, number> = { credentials: 0, throttled: 0 };
  readonly refreshes: Record<RefreshOutcome, number> = { rotated: 0, replayed: 0, theft: 0 };
  readonly revocations: Record<Revoked, number> = { access_token: 0, grant: 0 };
  readonly batches: Record<BatchName, Distribution> = {
    access_token: sizes(),
    api_key: sizes(),
    introspection: sizes(),
    client_secret: sizes(),
    client_token: sizes(),
    refresh_token: sizes(),
  };
  /** Seconds that ends waited before their acknowledgement, because guards had to be told. */
  readonly guardWaits = new Distribution([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]);
  /** How many of these waits lasted until the lease of a guard that did not answer was over. */
  guardsLate = 0;
  private readonly queues = new Map<BatchName, () => number>();

  validated(verdict: Verdict): void {
    this.validations[verdict] += 1;
  }

  issued(kind: IssueKind, format: Format): void {
    this.issues[kind][format] += 1;
  }

  loginRefused(reason: LoginRefusal): void {
    this.refusedLogins[reason] += 1;
  }

  refreshed(outcome: RefreshOutcome): void {
    this.refreshes[outcome] += 1;
  }

  /** Call it after the commit. @param count how many were alive until now */
  revoked(what: Revoked, count: number): void {
    this.revocations[what] += count;
  }

  /** @param late whether a guard did not answer in time */
  toldGuards(seconds: number, late: boolean): void {
    this.guardWaits.note(seconds);
    if (late) this.guardsLate += 1;
  }

  /** The owner of a batch calls it, so that the length of its queue can be shown. */
  watch(name: BatchName, depth: () => number): void {
    this.queues.set(name, depth);
  }

  /** For each batch, how many questions wait to be sent. */
  waiting(): [BatchName, number][] {
    return [...this.queues].map(([name, depth]) => [name, depth()]);
  }
}
