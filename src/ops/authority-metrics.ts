import { Counter, Gauge, type Metric } from 'prom-client';
import type { Telemetry, Verdict } from '../auth/telemetry/telemetry.js';
import { PlainHistogram } from './plain-histogram.js';

/** The counters of the authority itself. */
export function authorityMetrics(telemetry: Telemetry): Metric[] {
  return [...tokens(telemetry), ...events(telemetry), ...batches(telemetry)];
}

function tokens(telemetry: Telemetry): Metric[] {
  const issued = new Counter({
    registers: [],
    name: 'keks_tokens_issued_total',
    help: 'Access tokens and API keys, by how they were got and by format.',
    labelNames: ['kind', 'format'],
    collect() {
      this.reset();
      for (const [kind, formats] of Object.entries(telemetry.issues))
        for (const [format, count] of Object.entries(formats)) this.inc({ kind, format }, count);
    },
  });
  const validations = new Counter({
    registers: [],
    name: 'keks_validations_total',
    help: 'Verdicts on tokens, introspection included, and why. none: the database could not be asked.',
    labelNames: ['verdict', 'reason'],
    collect() {
      this.reset();
      for (const [verdict, count] of Object.entries(telemetry.validations))
        this.inc(labelsOf(verdict as Verdict), count);
    },
  });
  return [issued, validations];
}

function labelsOf(verdict: Verdict): { verdict: string; reason: string } {
  if (verdict === 'active') return { verdict: 'active', reason: 'none' };
  if (verdict === 'unavailable') return { verdict: 'none', reason: 'unavailable' };
  return { verdict: 'inactive', reason: verdict };
}

function events(telemetry: Telemetry): Metric[] {
  const { refusedLogins, refreshes, revocations } = telemetry;
  const counter = (name: string, help: string, label: string, counts: Readonly<Record<string, number>>) =>
    new Counter({
      registers: [],
      name,
      help,
      labelNames: [label],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(counts)) this.inc({ [label]: value }, count);
      },
    });
  return [
    counter('keks_logins_refused_total', 'Refused proofs of a password.', 'reason', refusedLogins),
    counter(
      'keks_refreshes_total',
      'Used refresh tokens: rotated; replayed in the grace period; or stolen, which ends the login.',
      'outcome',
      refreshes,
    ),
    counter(
      'keks_revocations_total',
      'What was taken back by this process: single access tokens, or grants with all of their tokens.',
      'kind',
      revocations,
    ),
  ];
}

function batches(telemetry: Telemetry): Metric[] {
  const sizes = new PlainHistogram(
    {
      name: 'keks_batch_size',
      help: 'Questions that shared one statement.',
      labelNames: ['batch'],
    },
    () => Object.entries(telemetry.batches).map(([batch, values]) => ({ labels: { batch }, values })),
  );
  const waiting = new Gauge({
    registers: [],
    name: 'keks_batch_waiting',
    help: 'Questions that wait to be sent to the database.',
    labelNames: ['batch'],
    collect() {
      for (const [batch, count] of telemetry.waiting()) this.set({ batch }, count);
    },
  });
  return [sizes, waiting];
}
