import { Gauge, type Metric } from 'prom-client';
import type { ReceiverUpkeep } from '../auth/receivers/receiver-upkeep.js';
import type { ReceiverRow } from '../auth/receivers/receivers.sql.js';

/**
 * Metrics of the receivers of events, as this process last saw them, a few seconds ago. All processes report the same.
 */
export function receiverMetrics(upkeep: ReceiverUpkeep, now: () => number): Metric[] {
  const gauge = (name: string, help: string, value: (receiver: ReceiverRow) => number): Metric =>
    new Gauge({
      registers: [],
      name,
      help,
      labelNames: ['receiver'],
      collect() {
        this.reset();
        for (const receiver of upkeep.receivers) this.set({ receiver: receiver.name }, value(receiver));
      },
    });
  const since = (date: Date | null): number => (date ? Math.max(0, (now() - date.getTime()) / 1_000) : 0);
  return [
    gauge(
      'keks_receiver_undelivered',
      'Events that the receiver has not taken yet, up to 10,000.',
      (one) => one.undelivered,
    ),
    gauge(
      'keks_receiver_failing_seconds',
      'For how long the receiver has taken nothing; 0: it takes what it is sent.',
      (one) => since(one.failing_since),
    ),
    gauge(
      'keks_receiver_delivered',
      'Events that the receiver has taken since it was added.',
      (one) => one.delivered,
    ),
    gauge(
      'keks_receiver_lost',
      'Events that the receiver has refused for ever, or that were given up because they were too old or too many.',
      (one) => one.refused + one.given_up,
    ),
  ];
}
