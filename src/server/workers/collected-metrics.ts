import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client';
import { MetricsText, snapshotOf, textOf, type Snapshot } from '../../ops/metrics-text.js';
import type { Member } from './member.js';

/** If a worker does not answer within this time, its last numbers are shown: milliseconds. */
const PATIENCE_MS = 1_000;

/** Metrics that prom-client would combine in another way by default. */
const AGGREGATORS: Readonly<Record<string, string>> = {
  keks_build_info: 'first',
  keks_maintenance_timestamp_seconds: 'max',
  keks_default_partition_rows: 'max',
  keks_signing_key_due_timestamp_seconds: 'max',
  keks_guard_lease_age_seconds: 'max',
  keks_guard_behind: 'max',
  keks_receiver_undelivered: 'max',
  keks_receiver_failing_seconds: 'max',
  keks_receiver_delivered: 'max',
  keks_receiver_lost: 'max',
  process_start_time_seconds: 'min',
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
};

/**
 * The numbers of all workers and of the primary, as if they were one process. When a worker ends, its last counts stay
 * in the sum: Prometheus would take a smaller sum for a restart.
 */
export class CollectedMetrics extends MetricsText {
  private readonly own = new Registry();
  private departed: Promise<Snapshot> = Promise.resolve([]);

  constructor(private readonly members: () => Iterable<Member>) {
    super();
    collectDefaultMetrics({ register: this.own });
  }

  async text(): Promise<string> {
    // both from the same moment, so that no worker is counted twice or left out
    const parts = [snapshotOf(this.own), ...[...this.members()].map((one) => this.ask(one)), this.departed];
    return textOf(merged(await Promise.all(parts)));
  }

  /** Keeps the counters of a worker that has ended. */
  remember({ lastMetrics }: Member): void {
    const counts = lastMetrics.filter(({ type }) => COUNTS.includes(String(type)));
    this.departed = this.departed.then((before) => snapshotOf(merged([before, counts])));
  }

  private async ask(member: Member): Promise<Snapshot> {
    if (!member.serving) return member.lastMetrics;
    const told = await member.rpc.ask('metrics', null, PATIENCE_MS).catch(() => undefined);
    if (told !== undefined) member.lastMetrics = told;
    return member.lastMetrics;
  }
}

const COUNTS = ['counter', 'histogram'];

function merged(snapshots: readonly Snapshot[]): Registry {
  const marked = snapshots.map((metrics) =>
    metrics.map((metric) => ({ ...metric, aggregator: AGGREGATORS[metric.name] ?? metric.aggregator })),
  );
  return AggregatorRegistry.aggregate(marked);
}
