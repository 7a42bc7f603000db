import { Counter, Gauge, type Metric } from 'prom-client';
import type { GuardLeases } from '../auth/leases/guard-leases.js';
import type { Telemetry } from '../auth/telemetry/telemetry.js';
import { PlainHistogram } from './plain-histogram.js';

/** Metrics of the guards that follow this process, and of the ends that waited for guards of any process. */
export function guardMetrics(leases: GuardLeases, telemetry: Telemetry): Metric[] {
  return [...followers(leases), ...waits(telemetry)];
}

function followers(leases: GuardLeases): Metric[] {
  const guards = new Gauge({
    registers: [],
    name: 'keks_guards',
    help: 'Guards that check JWTs alone by a lease of this process.',
    collect() {
      this.set(leases.guards().length);
    },
  });
  const oldest = new Gauge({
    registers: [],
    name: 'keks_guard_lease_age_seconds',
    help: 'The oldest of their leases: a guard that keeps up renews it after a third of LEASE_TTL.',
    collect() {
      const ages = leases.guards().map(({ left }) => (leases.ttlMs - left) / 1_000);
      this.set(Math.max(0, ...ages));
    },
  });
  const behind = new Gauge({
    registers: [],
    name: 'keks_guard_behind',
    help: 'Revocations that the guard which is furthest behind has not confirmed.',
    collect() {
      this.set(Math.max(0, ...leases.guards().map((one) => one.behind)));
    },
  });
  return [guards, oldest, behind];
}

function waits(telemetry: Telemetry): Metric[] {
  const seconds = new PlainHistogram(
    {
      name: 'keks_guard_wait_seconds',
      help: 'How long ends of tokens were not acknowledged because guards had to be told. Without guards none is counted.',
      labelNames: [],
    },
    () => [{ labels: {}, values: telemetry.guardWaits }],
  );
  const late = new Counter({
    registers: [],
    name: 'keks_guards_late_total',
    help: 'Ends that waited until the lease of a guard or of an instance was over, because it did not answer.',
    collect() {
      this.reset();
      this.inc(telemetry.guardsLate);
    },
  });
  return [seconds, late];
}
